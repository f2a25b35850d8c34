import Foundation
import LossDefinitions

/// A run for a terminal of 80 columns.
public struct ConformanceText {
  let run: ConformanceRun

  public init(_ run: ConformanceRun) { self.run = run }

  public var text: String {
    let losses = run.reports.map { lines($0) + [""] }.flatMap { $0 }
    return (losses + (notes.isEmpty ? [] : notes + [""]) + [summary]).joined(separator: "\n")
  }

  // MARK: A loss

  func lines(_ report: ConformanceReport) -> [String] {
    var lines = ["\(Self.title(report)): \(run.verdict(report))"]
    if run.isUnsound(report) { lines.append("  what it answered \(report.verdict.rawValue)") }
    if !report.reason.isEmpty { lines.append("  " + report.reason) }
    if !report.probes.isEmpty {
      lines.append("")
      lines += report.probes.map {
        "  \(padded($0.name, 13)) \(padded($0.outcome.rawValue, 8)) \($0.detail)"
      }
    }
    if !report.strata.isEmpty {
      lines += ["", table(["", "items", "outside", "open", "value", "ulp", "gradient", "ulp"])]
      for stratum in report.strata {
        lines.append(
          table([
            stratum.name, "\(stratum.items)", "\(stratum.wrong)", "\(stratum.open)",
            Self.brief(stratum.worstValue), Self.brief(stratum.worstValueUlps),
            Self.brief(stratum.worstGradient), Self.brief(stratum.worstGradientUlps),
          ]))
      }
      lines.append("  worst distances in half-widths of the band (4 are allowed), and in ulps")
    }
    for (k, finding) in report.findings.enumerated() {
      lines += ["", "\(k + 1). \(Self.title(finding))"]
      lines += rows(finding, report).map { "   \(padded($0.name, 12))\($0.text)" }
    }
    if report.isRecorded, report.findings.contains(where: { $0.reading != nil }) {
      lines += [
        "", "of recorded answers the simplest item that was asked for is shown, not shrunk",
      ]
    }
    return lines
  }

  /// "giou, as its chapter defines it, f32".
  static func title(_ report: ConformanceReport) -> String {
    let selection = report.selection
    let who =
      selection.dialect == "native" ? "as its chapter defines it" : "as \(selection.dialect)"
    return "\(selection.loss), \(who), \(selection.format.rawValue)"
  }

  // MARK: A finding

  /// "the value is NaN: 3 items, first in far".
  static func title(_ finding: ConformanceReport.Finding) -> String {
    let items = finding.count == 1 ? "1 item" : "\(finding.count) items"
    return "\(finding.what): \(items), first in \(finding.stratum)"
  }

  /// What there is to say of a finding, by name.
  func rows(
    _ finding: ConformanceReport.Finding, _ report: ConformanceReport
  ) -> [(name: String, text: String)] {
    var rows: [(name: String, text: String)] = []
    func add(_ name: String, _ text: String) { rows.append((name, text)) }
    if let known = finding.known { add("known", known.reason) }
    add("prediction", Self.list(finding.item.prediction))
    let target = finding.item.target
    add("target", finding.targetIsIndex ? "index \(Int(target[0]))" : Self.list(target))
    add("in bits", finding.caseText)
    if !finding.detail.isEmpty { add("it says", finding.detail) }
    if let reading = finding.reading {
      add(finding.quantity, Self.digits(reading.got, finding.format))
      if let band = reading.band {
        add("truth", Self.digits(band.truth.midpoint.hi, finding.format))
        let accurate = report.isStrict ? band.tight : band.accurate
        add("band", "\(accurate.lowerBound) ... \(accurate.upperBound)")
        if let sides = band.sides, sides.upperBound - sides.lowerBound > band.halfWidth {
          add("at a kink", "slopes from \(sides.lowerBound) to \(sides.upperBound)")
        }
        if reading.halfWidths.isFinite {
          let (wide, ulps) = (Self.brief(reading.halfWidths), Self.brief(reading.ulps))
          add("distance", "\(wide) half-widths, \(ulps) ulp")
        }
      }
    }
    if !finding.dialects.isEmpty {
      add("as given by", finding.dialects.joined(separator: "\n               "))
    }
    add("replay", replay(finding, report))
    return rows
  }

  func replay(_ finding: ConformanceReport.Finding, _ report: ConformanceReport) -> String {
    let selection = report.selection
    var words = ["lossref", "verify", "--loss", selection.loss]
    if selection.dialect != "native" { words += ["--dialect", selection.dialect] }
    if selection.format != .f32 { words += ["--dtype", selection.format.rawValue] }
    if report.isStrict { words.append("--strict") }
    words += ["--case", finding.caseText, "--"] + run.command.map(Self.quoted)
    return words.joined(separator: " ")
  }

  // MARK: The run

  /// What the program did besides answering.
  var notes: [String] {
    var lines: [String] = []
    if run.noiseCount > 0 {
      lines.append("set aside: \(run.noiseCount) lines of its output that are not JSON, such as")
      lines += run.noise.map { "  " + $0.prefix(76) }
    }
    for fault in run.faults {
      lines.append("the program \(Self.sentence(fault))")
      let errors = fault.errors.split(separator: "\n").suffix(4)
      lines +=
        (errors.isEmpty ? [] : ["  the end of its standard error:"]) + errors.map { "    " + $0 }
    }
    lines += run.passing.map(Self.sentence)
    return lines
  }

  /// "does not conform (status 1); 2.1 s, 0.4 s of them waiting for the program".
  var summary: String { "\(run.verdict) (status \(run.status)); \(duration)" }

  /// "2.1 s, 0.4 s of them waiting for the program".
  private var duration: String {
    func brief(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }
    let waiting =
      run.waited == 0 ? "" : ", \(brief(run.waited)) of them waiting for the program"
    return brief(run.seconds) + waiting
  }

  /// What the program did besides answering, and how long it took.
  public var circumstances: String {
    (notes.isEmpty ? [duration] : notes + ["", duration]).joined(separator: "\n")
  }

  static func sentence(_ fault: Program.Fault) -> String {
    let place =
      fault.item.map { "at prediction \(list($0.prediction)), target \(list($0.target))" }
      ?? "though it answered the same items afterwards"
    return "\(fault.what), \(fault.after) items after it was started,\n  \(place)"
  }

  static func sentence(_ entry: KnownFailures.Entry) -> String {
    "expected to fail, but passes: \(entry.pattern) (line \(entry.line); take it out)"
  }

  // MARK: Words

  private func table(_ cells: [String]) -> String {
    let widths = [-14, 7, 9, 6, 8, 9, 10, 9]
    let line = zip(cells, widths).map { cell, width in
      let gap = String(repeating: " ", count: Swift.max(0, Swift.abs(width) - cell.count))
      return width < 0 ? cell + gap : gap + cell
    }.joined()
    return "  " + line
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: Swift.max(0, width - text.count))
  }

  static func brief(_ x: Double) -> String {
    if x == .infinity { return "inf" }
    return x < 1000 ? String(format: "%.2f", x) : String(format: "%.0e", x)
  }

  static func list(_ numbers: [Double]) -> String {
    let shown = numbers.prefix(8).map { "\($0)" }.joined(separator: " ")
    return numbers.count > 8 ? "\(shown) ... (\(numbers.count))" : shown
  }

  static func digits(_ x: Double, _ format: Format) -> String {
    "\(x.isNaN ? "nan" : "\(x)")  (\(PackedNumbers.text([format.rounded(x)], format)))"
  }

  static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:+,@".contains($0) }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}

extension ConformanceReport: CustomStringConvertible {
  /// The report as a terminal shows it.
  public var description: String {
    ConformanceText(ConformanceRun(command: ["PROGRAM"])).lines(self).joined(separator: "\n")
  }
}
