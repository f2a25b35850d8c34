/// A run as Markdown: a row a loss, and each finding with the line that replays it.
public struct ConformanceMarkdown {
  private let run: ConformanceRun

  public init(_ run: ConformanceRun) { self.run = run }

  public var text: String {
    let text = ConformanceText(run)
    var lines = ["# Conformance: \(run.verdict)", ""]
    if let greeting = run.reports.first?.greeting {
      let words = [greeting.name, greeting.version, greeting.language].filter { !$0.isEmpty }
      lines += ["\(Self.escaped(words.joined(separator: ", ")))", ""]
    }
    if !run.reports.isEmpty {
      lines += [
        "| loss | verdict | items | outside | known | open | value: half-widths | ulp "
          + "| gradient: half-widths | ulp |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      ]
      lines += run.reports.map(row)
      lines += ["", "Worst distances; 4 half-widths of an item's own band are allowed.", ""]
    }
    for report in run.reports {
      lines += ["## \(report.selection.place): \(run.verdict(report))", ""]
      if !report.reason.isEmpty { lines += [Self.escaped(report.reason), ""] }
      lines += report.probes.filter { $0.outcome != .passed }.map {
        "- \($0.name) \($0.outcome.rawValue): \(Self.escaped($0.detail))"
      }
      for finding in report.findings {
        lines += ["", "### \(Self.escaped(ConformanceText.title(finding)))", ""]
        lines += Self.fenced(text.rows(finding, report).map { "\($0.name): \($0.text)" })
      }
      if lines.last != "" { lines.append("") }
    }
    let failure = run.failure.split(separator: "\n").map { String($0) }
    let notes = failure + text.notes
    if !notes.isEmpty { lines += ["## The run", ""] + Self.fenced(Array(notes)) + [""] }
    return lines.joined(separator: "\n")
  }

  private func row(_ report: ConformanceReport) -> String {
    let strata = report.strata
    func sum(_ count: (ConformanceReport.Stratum) -> Int) -> String {
      "\(strata.reduce(0) { $0 + count($1) })"
    }
    func worst(_ distance: (ConformanceReport.Stratum) -> Double) -> String {
      ConformanceText.brief(strata.map(distance).max() ?? 0)
    }
    let known = report.findings.filter { $0.known != nil }.reduce(0) { $0 + $1.count }
    let cells = [
      report.selection.place, run.verdict(report), sum(\.items), sum(\.wrong), "\(known)",
      sum(\.open), worst(\.worstValue), worst(\.worstValueUlps), worst(\.worstGradient),
      worst(\.worstGradientUlps),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text {
      if "\\`*_{}[]<>()#|".contains(character) { out += "\\" }
      out += character.isNewline ? " " : String(character)
    }
    return out
  }

  /// Lines as they are, in a fence longer than any within them.
  private static func fenced(_ lines: [String]) -> [String] {
    var fence = "```"
    while lines.contains(where: { $0.contains(fence) }) { fence += "`" }
    return [fence] + lines + [fence]
  }
}
