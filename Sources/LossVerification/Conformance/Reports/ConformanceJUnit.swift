import Foundation

/// A run as JUnit's XML, which systems for continuous integration read.
///
/// A test suite a loss; in it a test case a probe and a stratum. What is wrong in a stratum is a failure
/// whose text is the finding's; a known failure, an unsupported loss and a stratum whose bands say too
/// little are skipped, with the reason. What ended the run is an error.
public struct ConformanceJUnit {
  private let run: ConformanceRun

  public init(_ run: ConformanceRun) { self.run = run }

  private struct Case {
    enum Outcome: String { case passed, failure, error, skipped }
    let name: String
    let outcome: Outcome
    var message = ""
    var body = ""
    var output = ""
  }

  public var text: String {
    var suites = run.reports.map { (Self.name($0), cases($0)) }
    let whole = wholeRun
    if !whole.isEmpty { suites.append(("run", whole)) }
    let all = suites.flatMap(\.1)
    let lines =
      [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<testsuites name=\"lossref verify\"\(counts(all))"
          + " time=\"\(String(format: "%.3f", run.seconds))\">",
      ] + suites.flatMap(suite) + ["</testsuites>", ""]
    return lines.joined(separator: "\n")
  }

  /// "giou.native.f32".
  private static func name(_ report: ConformanceReport) -> String {
    report.selection.place.replacing("/", with: ".")
  }

  // MARK: Cases

  private func cases(_ report: ConformanceReport) -> [Case] {
    if report.verdict == .unsupported {
      return [Case(name: "select", outcome: .skipped, message: "unsupported: \(report.reason)")]
    }
    return report.probes.map { probe in
      switch probe.outcome {
      case .failed: Case(name: "probe: \(probe.name)", outcome: .failure, message: probe.detail)
      case .skipped: Case(name: "probe: \(probe.name)", outcome: .skipped, message: probe.detail)
      case .passed, .noted:
        Case(name: "probe: \(probe.name)", outcome: .passed, output: probe.detail)
      }
    } + report.strata.map { self.case(of: $0, report) }
  }

  private func `case`(
    of stratum: ConformanceReport.Stratum, _ report: ConformanceReport
  ) -> Case {
    let text = ConformanceText(run)
    let found = report.findings.filter { $0.strata.contains { $0.name == stratum.name } }
    let wrong = found.filter { $0.known == nil }
    func message(_ finding: ConformanceReport.Finding) -> String {
      let items = finding.strata.first { $0.name == stratum.name }?.items ?? 0
      return "\(finding.what): \(items) of \(stratum.items) items"
    }
    let body = found.map { finding in
      ([ConformanceText.title(finding)]
        + text.rows(finding, report).map { "  \($0.name): \($0.text)" }).joined(separator: "\n")
    }.joined(separator: "\n\n")
    let output = found.map { text.replay($0, report) }.joined(separator: "\n")
    if !wrong.isEmpty {
      return Case(
        name: stratum.name, outcome: wrong.contains { $0.isFailure } ? .error : .failure,
        message: wrong.map(message).joined(separator: "; "), body: body, output: output)
    }
    if !found.isEmpty {
      let why = found.map { "known: \($0.known?.reason ?? "")" }.joined(separator: "; ")
      return Case(name: stratum.name, outcome: .skipped, message: why, output: output)
    }
    if stratum.isOpen, report.verdict == .inconclusive {
      return Case(
        name: stratum.name, outcome: .skipped,
        message: "inconclusive: the bands of \(stratum.open) of \(stratum.items) items say nothing")
    }
    return Case(name: stratum.name, outcome: .passed)
  }

  /// What belongs to no loss.
  private var wholeRun: [Case] {
    var cases = run.passing.map {
      Case(name: $0.pattern, outcome: .failure, message: ConformanceText.sentence($0))
    }
    cases += run.faults.map {
      Case(
        name: "program", outcome: .error, message: "the program \(ConformanceText.sentence($0))",
        body: $0.errors)
    }
    if !run.failure.isEmpty {
      cases.append(
        Case(
          name: "run", outcome: .error,
          message: run.failure.split(separator: "\n").first.map { String($0) } ?? "",
          body: run.failure))
    }
    return cases
  }

  // MARK: XML

  private func counts(_ cases: [Case]) -> String {
    func count(_ outcome: Case.Outcome) -> Int { cases.count { $0.outcome == outcome } }
    return " tests=\"\(cases.count)\" failures=\"\(count(.failure))\" errors=\"\(count(.error))\""
      + " skipped=\"\(count(.skipped))\""
  }

  private func suite(_ name: String, _ cases: [Case]) -> [String] {
    let name = Markup.escaped(name)
    return ["  <testsuite name=\"\(name)\"\(counts(cases))>"]
      + cases.flatMap { lines($0, name) } + ["  </testsuite>"]
  }

  private func lines(_ test: Case, _ suite: String) -> [String] {
    let head = "    <testcase classname=\"\(suite)\" name=\"\(Markup.escaped(test.name))\""
    var inner: [String] = []
    let kind = test.outcome.rawValue
    switch test.outcome {
    case .passed: break
    case .skipped: inner.append("      <skipped message=\"\(Markup.escaped(test.message))\"/>")
    case .failure, .error:
      inner.append(
        "      <\(kind) message=\"\(Markup.escaped(test.message))\">"
          + "\(Markup.escaped(test.body))</\(kind)>")
    }
    if !test.output.isEmpty {
      inner.append("      <system-out>\(Markup.escaped(test.output))</system-out>")
    }
    return inner.isEmpty ? [head + "/>"] : [head + ">"] + inner + ["    </testcase>"]
  }
}
