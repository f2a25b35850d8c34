import Foundation
import LossVerification

/// A mutation score on a terminal: a table of losses, then what was not rejected.
struct MutationText {
  let score: MutationScore
  /// Whether also to say where each of the others was rejected.
  let isWhole: Bool

  var lines: [String] {
    var losses: [String] = []
    for outcome in score.outcomes where losses.last != outcome.loss { losses.append(outcome.loss) }
    var lines = [row("mutants", ["rejected", "of", "equivalent"])]
    lines += losses.map { loss in row(loss, score.outcomes.filter { $0.loss == loss }) }
    if losses.count > 1 { lines.append(row("all", score.outcomes)) }
    if isWhole {
      lines += score.outcomes.compactMap { outcome in
        outcome.rejectedAt.map { "\(title(outcome))\n  by \($0)" }
      }
    }
    var reason = ""
    for outcome in score.equivalents {
      let own = outcome.mutant.equivalence(in: outcome.format)
      if own != reason { lines += wrapped(reason) }
      lines += ["\(title(outcome)): equivalent"] + reach(outcome)
      reason = own
    }
    lines += wrapped(reason)
    for outcome in score.survivors {
      lines += ["\(title(outcome)): not rejected"] + reach(outcome)
      lines += wrapped(outcome.mutant.sentence)
    }
    return lines
  }

  private func title(_ outcome: MutantOutcome) -> String {
    "\(outcome.loss) \(outcome.format.rawValue), \(outcome.mutant.name)"
  }

  private func reach(_ outcome: MutantOutcome) -> [String] {
    guard let reach = outcome.reach else { return [] }
    let part = String(format: "%.2f", reach)
    return ["  at most \(part) of the way to the end of a band, at \(outcome.searched) items"]
  }

  private func row(_ name: String, _ outcomes: [MutantOutcome]) -> String {
    let equivalent = outcomes.count { $0.isEquivalent }
    let rejected = outcomes.count { $0.rejectedAt != nil }
    return row(name, [rejected, outcomes.count - equivalent, equivalent].map { "\($0)" })
  }

  private func row(_ name: String, _ cells: [String]) -> String {
    func spaces(_ count: Int) -> String { String(repeating: " ", count: max(1, count)) }
    return zip(cells, [10, 8, 12]).reduce(name + spaces(28 - name.count)) { line, cell in
      line + spaces(cell.1 - cell.0.count) + cell.0
    }
  }

  /// Lines of at most 80 columns.
  private func wrapped(_ text: String) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + word.count < 80 {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append("  " + word)
      }
    }
    return lines
  }
}
