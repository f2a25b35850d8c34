import Foundation
import LossDefinitions
import LossVerification

/// A conformance report for a terminal of 80 columns.
struct ConformanceText {
  let command: [String]

  func lines(_ report: ConformanceReport) -> [String] {
    let selection = report.selection
    let who =
      selection.dialect == "native" ? "as its chapter defines it" : "as \(selection.dialect)"
    var lines = [
      "\(selection.loss), \(who), \(selection.format.rawValue): \(report.verdict.rawValue)"
    ]
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
        let wrong = stratum.outside + stratum.rejected + stratum.failed
        lines.append(
          table([
            stratum.name, "\(stratum.items)", "\(wrong)", "\(stratum.open)",
            brief(stratum.worstValue), brief(stratum.worstValueUlps),
            brief(stratum.worstGradient), brief(stratum.worstGradientUlps),
          ]))
      }
      lines.append("  worst distances in half-widths of the band (4 are allowed), and in ulps")
    }
    for (k, finding) in report.findings.enumerated() {
      lines += [""] + self.lines(finding, k + 1, report)
    }
    return lines
  }

  private func lines(
    _ finding: ConformanceReport.Finding, _ number: Int, _ report: ConformanceReport
  ) -> [String] {
    let items = finding.count == 1 ? "1 item" : "\(finding.count) items"
    var lines = ["\(number). \(finding.what): \(items), first in \(finding.stratum)"]
    func add(_ title: String, _ text: String) { lines.append("   \(padded(title, 12))\(text)") }
    add("prediction", list(finding.item.prediction))
    add("target", list(finding.item.target))
    add("in bits", finding.caseText)
    if !finding.detail.isEmpty { add("it says", finding.detail) }
    if let reading = finding.reading {
      add(finding.quantity, "\(digits(reading.got, finding.format))")
      if let band = reading.band {
        add("truth", "\(digits(band.truth.midpoint.hi, finding.format))")
        let accurate = report.isStrict ? band.tight : band.accurate
        add("band", "\(accurate.lowerBound) ... \(accurate.upperBound)")
        if let sides = band.sides, sides.upperBound - sides.lowerBound > band.halfWidth {
          add("at a kink", "slopes from \(sides.lowerBound) to \(sides.upperBound)")
        }
        if reading.halfWidths.isFinite {
          add("distance", "\(brief(reading.halfWidths)) half-widths, \(brief(reading.ulps)) ulp")
        }
      }
    }
    if !finding.dialects.isEmpty {
      add("as given by", finding.dialects.joined(separator: "\n               "))
    }
    add("replay", replay(finding, report))
    return lines
  }

  private func replay(
    _ finding: ConformanceReport.Finding, _ report: ConformanceReport
  ) -> String {
    let selection = report.selection
    var words = ["lossref", "verify", "--loss", selection.loss]
    if selection.dialect != "native" { words += ["--dialect", selection.dialect] }
    if selection.format != .f32 { words += ["--dtype", selection.format.rawValue] }
    if report.isStrict { words.append("--strict") }
    words += ["--case", finding.caseText, "--"] + command.map(quoted)
    return words.joined(separator: " ")
  }

  func footer(_ program: Program, seconds: Double) -> [String] {
    var lines: [String] = []
    if program.noiseCount > 0 {
      lines.append(
        "set aside: \(program.noiseCount) lines of its output that are not JSON, such as")
      lines += program.noise.map { "  " + $0 }
    }
    for fault in program.faults {
      let place =
        fault.item.map { "at prediction \(list($0.prediction)), target \(list($0.target))" }
        ?? "though it answered the same items afterwards"
      lines.append("the program \(fault.what), \(place)")
    }
    lines.append(
      "\(String(format: "%.1f", seconds)) s, \(String(format: "%.1f", program.waited)) s of them "
        + "waiting for the program")
    return lines
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

  private func brief(_ x: Double) -> String {
    if x == .infinity { return "inf" }
    return x < 1000 ? String(format: "%.2f", x) : String(format: "%.0e", x)
  }

  private func list(_ numbers: [Double]) -> String {
    let shown = numbers.prefix(8).map { "\($0)" }.joined(separator: " ")
    return numbers.count > 8 ? "\(shown) ... (\(numbers.count))" : shown
  }

  private func digits(_ x: Double, _ format: Format) -> String {
    "\(x.isNaN ? "nan" : "\(x)")  (\(PackedNumbers.text([format.rounded(x)], format)))"
  }

  private func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:+,@".contains($0) }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
