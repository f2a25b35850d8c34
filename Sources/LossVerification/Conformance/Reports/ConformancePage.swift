import LossDefinitions

/// A run as a page of HTML that stands alone: nothing is fetched, and its pictures are in it.
public struct ConformancePage {
  private let run: ConformanceRun
  private var words: ConformanceText { ConformanceText(run) }

  public init(_ run: ConformanceRun) { self.run = run }

  public var text: String {
    let name = run.reports.first?.greeting.name ?? "The program"
    let title = "\(name): \(run.verdict)"
    let lines =
      [
        "<!doctype html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\"/>",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>",
        element("title", title), "<style>\(Self.style)</style>", "</head>", "<body>", "<main>",
        "<h1>\(escaped(name)) \(badge(run.verdict))</h1>",
      ] + introduction + run.reports.enumerated().flatMap { section($1, $0) } + notes
      + ["</main>", "</body>", "</html>", ""]
    return lines.joined(separator: "\n")
  }

  // MARK: The run

  private var introduction: [String] {
    var lines: [String] = []
    if let greeting = run.reports.first?.greeting {
      let more = [greeting.version, greeting.language].filter { !$0.isEmpty }
      if !more.isEmpty { lines.append(element("p", more.joined(separator: ", "))) }
    }
    let command = run.command.map(ConformanceText.quoted).joined(separator: " ")
    lines.append("<p><code>\(escaped(command))</code></p>")
    if !run.failure.isEmpty {
      lines.append("<pre class=\"alert\">\(escaped(run.failure))</pre>")
    }
    guard run.reports.count > 1 else { return lines }
    lines.append("<ul class=\"plain\">")
    lines += run.reports.enumerated().map { i, report in
      "<li><a href=\"#loss-\(i)\">\(escaped(report.selection.place))</a> "
        + "\(badge(run.verdict(report)))</li>"
    }
    return lines + ["</ul>"]
  }

  private var notes: [String] {
    ["<section aria-labelledby=\"run\">", "<h2 id=\"run\">The run</h2>"]
      + ["<pre>\(escaped((words.notes + [words.summary]).joined(separator: "\n")))</pre>"]
      + [
        element(
          "p",
          "Every number is held against a band of its own. Tight is what the naive reference may come "
            + "to in the program's precision, for that very item; half of it is a half-width. Accurate "
            + "are four half-widths on either side of the truth; what is farther is outside. A band "
            + "is open where it says nothing. An ulp is a unit in the last place of the truth, of a "
            + "gradient that of its largest component."),
        "</section>",
      ]
  }

  // MARK: A loss

  private func section(_ report: ConformanceReport, _ index: Int) -> [String] {
    let id = "loss-\(index)"
    var lines = [
      "<section aria-labelledby=\"\(id)\">",
      "<h2 id=\"\(id)\">\(escaped(ConformanceText.title(report))) "
        + "\(badge(run.verdict(report)))</h2>",
    ]
    if run.isUnsound(report) {
      lines.append(element("p", "What it answered \(report.verdict.rawValue)."))
    }
    if !report.reason.isEmpty { lines.append(element("p", report.reason)) }
    if !report.findings.isEmpty {
      lines.append("<h3>Findings</h3>")
      lines += report.findings.enumerated().flatMap { finding($1, report, "\(id)-f\($0)") }
      if report.isRecorded {
        lines.append(
          element("p", "Of recorded answers the simplest item that was asked for is shown."))
      }
    }
    if !report.probes.isEmpty {
      lines.append("<h3>Probes</h3>")
      lines += table(
        "Probes", ["probe", "outcome", "detail"],
        report.probes.map { [escaped($0.name), badge($0.outcome.rawValue), escaped($0.detail)] })
    }
    guard !report.strata.isEmpty else { return lines + ["</section>"] }
    lines += ["<h3>Distances</h3>", Self.legend, "<div class=\"pictures\">"] + pictures(report, id)
    lines += ["</div>", "<h3>Strata</h3>"]
    lines += strata(report)
    return lines + ["</section>"]
  }

  private func pictures(_ report: ConformanceReport, _ id: String) -> [String] {
    var (value, gradient) = (Distances(), Distances())
    for stratum in report.strata {
      value += stratum.value
      gradient += stratum.gradient
    }
    let all: [(String, Distances)] =
      [("value", value)] + (gradient.ulps.count > 0 ? [("gradient", gradient)] : [])
    return all.flatMap { name, distances in
      [
        (distances.halfWidths, "half-widths", true), (distances.ulps, "ulps", false),
      ].map { histogram, unit, hasAreas in
        let picture = DistancePicture(
          title: "The \(name) in \(unit)", histogram: histogram, unit: unit, hasAreas: hasAreas,
          id: "\(id)-\(name)-\(unit)")
        return "<figure>\n\(picture.svg)\n<figcaption>\(escaped(picture.title)): "
          + "\(escaped(picture.summary))</figcaption>\n</figure>"
      }
    }
  }

  private func strata(_ report: ConformanceReport) -> [String] {
    let rows = report.strata.map { stratum in
      [
        escaped(stratum.name), "\(stratum.items)", "\(stratum.tight)", "\(stratum.accurate)",
        "\(stratum.outside)", "\(stratum.rejected)", "\(stratum.failed)", "\(stratum.open)",
        "\(stratum.kinks)", ConformanceText.brief(stratum.worstValue),
        ConformanceText.brief(stratum.worstValueUlps),
        ConformanceText.brief(stratum.worstGradient),
        ConformanceText.brief(stratum.worstGradientUlps),
      ]
    }
    return table(
      "Strata",
      [
        "stratum", "items", "tight", "accurate", "outside", "rejected", "failed", "open", "kinks",
        "worst value, half-widths", "ulps", "worst gradient, half-widths", "ulps",
      ], rows, isNumeric: true)
  }

  // MARK: A finding

  private func finding(
    _ finding: ConformanceReport.Finding, _ report: ConformanceReport, _ id: String
  ) -> [String] {
    var lines = [
      "<article aria-labelledby=\"\(id)\">",
      "<h4 id=\"\(id)\">\(escaped(ConformanceText.title(finding)))"
        + (finding.known == nil ? "" : " \(badge("known"))") + "</h4>",
    ]
    let inStrata = finding.strata.map { "\($0.name) \($0.items)" }.joined(separator: ", ")
    lines.append(element("p", "Items by stratum: \(inStrata)."))
    lines += ["<div class=\"two\">", "<div>"]
    if let reading = finding.reading, let band = reading.band, band.halfWidth > 0 {
      lines += [
        "<figure>", BandPicture(reading: reading, band: band, id: id + "-b").svg, "</figure>",
      ]
    }
    lines.append("<dl>")
    for row in words.rows(finding, report)
    where !["prediction", "target", "in bits", "replay"].contains(row.name) {
      lines.append("<dt>\(escaped(row.name))</dt><dd>\(escaped(row.text))</dd>")
    }
    lines += ["</dl>", "</div>"] + table("Input", ["input", "decimal", "bits"], inputs(finding))
    lines += [
      "</div>", "<pre>\(escaped(words.replay(finding, report)))</pre>", "</article>",
    ]
    return lines
  }

  private func inputs(_ finding: ConformanceReport.Finding) -> [[String]] {
    func rows(_ name: String, _ numbers: [Double], isIndex: Bool) -> [[String]] {
      let shown = numbers.prefix(16).enumerated().map { k, x in
        [
          "\(name) \(k)", isIndex ? "\(Int(x))" : "\(x)",
          isIndex ? "" : PackedNumbers.text([x], finding.format),
        ]
      }
      return numbers.count > 16 ? shown + [["\(name)", "… \(numbers.count) numbers", ""]] : shown
    }
    return rows("prediction", finding.item.prediction, isIndex: false)
      + rows("target", finding.item.target, isIndex: finding.targetIsIndex)
  }

  // MARK: Elements

  private func escaped(_ text: String) -> String { Markup.escaped(text) }

  private func element(_ name: String, _ text: String) -> String {
    "<\(name)>\(escaped(text))</\(name)>"
  }

  private func badge(_ word: String) -> String {
    let kind =
      switch word {
      case "conforms", "passed": "good"
      case "does not conform", "failed": "bad"
      default: "neutral"
      }
    return "<span class=\"badge \(kind)\">\(escaped(word))</span>"
  }

  /// A table whose cells are markup; the first of a row is its heading.
  private func table(
    _ name: String, _ heads: [String], _ rows: [[String]], isNumeric: Bool = false
  ) -> [String] {
    [
      "<div class=\"wide\" role=\"region\" aria-label=\"\(name)\" tabindex=\"0\">",
      "<table\(isNumeric ? " class=\"numbers\"" : "")>",
      "<thead><tr>"
        + heads.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined() + "</tr></thead>",
      "<tbody>",
    ]
      + rows.map { row in
        "<tr><th scope=\"row\">\(row[0])</th>"
          + row.dropFirst().map { "<td>\($0)</td>" }.joined() + "</tr>"
      } + ["</tbody>", "</table>", "</div>"]
  }

  private static let legend =
    "<p class=\"legend\">"
    + [
      ("tight", "tight: within 1 half-width of the truth"), ("accurate", "accurate: within 4"),
      ("outside", "outside: farther"),
    ].map { name, words in
      "<span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"\(name)\" width=\"10\" "
        + "height=\"10\"/></svg> \(words)</span>"
    }.joined(separator: " ") + " <span>Heights are logarithmic.</span></p>"
}
