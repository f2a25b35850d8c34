import Foundation
import LossDefinitions

/// What was identified, for a terminal of 80 columns.
public struct IdentificationText {
  let report: IdentificationReport
  /// What replays an item, after `--`.
  let command: [String]

  public init(_ report: IdentificationReport, command: [String]) {
    self.report = report
    self.command = command
  }

  private static let width = 80

  public var lines: [String] {
    let selection = report.selection
    var lines = ["\(selection.loss), \(selection.format.rawValue): \(headline)"]
    if !report.reason.isEmpty { lines += wrapped(report.reason, indent: 2) }
    if report.verdict == .one, report.names.count > 1 {
      lines += ["", "  the same function under its other names"]
      lines += listed(Array(report.names.dropFirst()))
    } else if report.verdict == .several {
      lines += ["", "  what is left"]
      lines += grouped
      if let overlap = report.overlap { lines += [""] + self.lines(overlap) }
    }
    if report.difference != nil || !report.nearest.isEmpty { lines += [""] + nearest }
    if report.items > 1 {
      lines += [
        "",
        "  \(report.candidates) candidates, \(report.probes) items to tell them apart, "
          + "\(report.items - report.probes) to confirm",
      ]
    }
    for note in report.notes { lines += wrapped(note, indent: 2) }
    return lines
  }

  private var headline: String {
    switch report.verdict {
    case .one: report.names.first.map(text) ?? ""
    case .several: (report.names.first.map(text) ?? "") + ", or alike"
    case .none: "none that is known"
    case .undecided: "nothing could be decided"
    case .unsupported: "not offered"
    case .failed: "the program failed"
    }
  }

  private func text(_ name: IdentificationReport.Name) -> String {
    let rounded =
      name.rounded.isEmpty
      ? ""
      : ", the same in \(report.selection.format.name) as \(name.rounded.joined(separator: ", "))"
    return name.text + (name.isDefault ? " (its default)" : "") + rounded
  }

  /// The first name of each function; those that differ in the value of one argument together.
  private var grouped: [String] {
    var seen: Set<Int> = []
    let firsts = report.names.filter { seen.insert($0.function).inserted }
    var groups: [(stem: String, names: [IdentificationReport.Name])] = []
    for name in firsts {
      // "torchvision/complete_box_iou_loss eps=", "1 - native unionEpsilon=1e-07 floor=".
      let end = name.text.lastIndex(of: "=").map { name.text.index(after: $0) }
      let stem = String(name.text[..<(end ?? name.text.endIndex)])
      if let k = groups.firstIndex(where: { $0.stem == stem }) {
        groups[k].names.append(name)
      } else {
        groups.append((stem, [name]))
      }
    }
    return groups.prefix(12).flatMap { stem, names in
      let values = names.dropFirst().map { String($0.text.dropFirst(stem.count)) }
      return wrapped(([text(names[0])] + values).joined(separator: ", "), indent: 4)
    } + (groups.count > 12 ? ["    and \(groups.count - 12) more"] : [])
  }

  /// At most so many names, the rest counted.
  private func listed(_ names: [IdentificationReport.Name], most: Int = 12) -> [String] {
    var lines = names.prefix(most).flatMap { wrapped(text($0), indent: 4) }
    if names.count > most { lines.append("    and \(names.count - most) more") }
    return lines
  }

  private func lines(_ overlap: IdentificationReport.Overlap) -> [String] {
    let quantity = IdentificationReport.quantity(overlap.quantity)
    return ["  where they differ most"]
      + wrapped("prediction  \(ConformanceText.list(overlap.item.prediction))", indent: 4)
      + wrapped("target      \(ConformanceText.list(overlap.item.target))", indent: 4)
      + ["    \(quantity)"]
      + wrapped("\(overlap.truths.0) for \(overlap.names.0)", indent: 6)
      + wrapped("\(overlap.truths.1) for \(overlap.names.1)", indent: 6)
  }

  private var nearest: [String] {
    var lines =
      report.nearest.isEmpty
      ? []
      : wrapped(
        "nearest is \(report.nearest[0].text), with \(report.inside) of \(report.numbers) "
          + "answers inside its bands", indent: 2)
    guard let difference = report.difference else { return lines }
    let format = report.selection.format
    let quantity = IdentificationReport.quantity(difference.quantity)
    let isIndex = catalog.first { $0.loss.name == report.selection.loss }?.loss.targetIsIndex
    let bits = IdentificationReport.caseText(
      difference.item, format, targetIsIndex: isIndex ?? false)
    func add(_ title: String, _ text: String) {
      lines += wrapped(title.padding(toLength: 12, withPad: " ", startingAt: 0) + text, indent: 4)
    }
    lines.append("  first difference: the \(difference.quantity == 0 ? "value" : "gradient")")
    add("prediction", ConformanceText.list(difference.item.prediction))
    add("target", ConformanceText.list(difference.item.target))
    add(quantity, "\(difference.reading.got)")
    if let band = difference.reading.band {
      add("truth", "\(band.truth.midpoint.hi)")
      add("band", "\(band.accurate.lowerBound) ... \(band.accurate.upperBound)")
    }
    var words = ["lossref", "identify", "--loss", report.selection.loss]
    if format != .f32 { words += ["--dtype", format.rawValue] }
    words += ["--case", bits, "--"] + command.map(ConformanceText.quoted)
    lines.append("    replay      " + words.joined(separator: " "))
    return lines
  }

  /// Lines of at most 80 columns, broken at spaces, the later ones indented further.
  private func wrapped(_ text: String, indent: Int) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isFresh = true
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if !isFresh, line.count + 1 + word.count > Self.width {
        lines.append(line)
        line = String(repeating: " ", count: indent + (lines.count == 1 && indent > 2 ? 2 : 0))
        isFresh = true
      }
      line += (isFresh ? "" : " ") + word
      isFresh = false
    }
    return lines + [line]
  }
}
