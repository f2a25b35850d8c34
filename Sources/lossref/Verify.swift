import Foundation
import LossDefinitions
import LossVerification

/// `lossref verify`: our own kernels held against the references, a row a member of the catalog; or
/// someone's program.
enum Verify: Command {
  static let name = "verify"
  static let abstract = "Hold the kernels, or a program, against the references"
  static let help = """
    usage: lossref verify [--loss NAME]... [--cases N] [--seed S] [--json FILE]
           lossref verify [--loss NAME]... [--dialect D] [--dtype T] [--strict]
                          [--cases N] [--seed S] [--timeout SECONDS] [--case ITEM]
                          [--known FILE] [--json FILE] [--junit FILE]
                          [--markdown FILE] [--html FILE] -- PROGRAM [ARGUMENT ...]

    Without a program: judges the optimized kernels of Float and Double on generated
    items: values and gradients in ulps against the certified oracle, the declared
    laws, dual numbers against finite differences, and the same bits in any batch. Of a
    training objective the terms and the gradients of whole scenes, decisions frozen;
    of an assignment that both versions give the same matching.

    With a program, in any language: starts it, asks it over its pipes for values and
    gradients (Spec/Protocol says how, Spec/Harnesses has programs to begin with), and
    holds every number against a band: what the naive reference may come to in the
    program's precision, four half-widths wide.

    --loss NAME   only this loss; may be repeated (`lossref list` names them). For a
                  program the default is what it says it offers
    --dialect D   native (the default) is the loss as its chapter defines it; or a
                  framework, or its function: torchvision/complete_box_iou_loss
    --dtype T     what the program computes in: f16, bf16, f32 (the default) or f64
    --strict      the naive reference's own band decides, not the one that is wider
    --cases N     items a loss; of kernels a quarter as many in Double (default 20000;
                  of kernels never fewer than 500 a stratum; a scene counts as 500)
    --seed S      where the generators start (default 1)
    --timeout S   seconds that a program may take for a batch (default 60)
    --case ITEM   only this item, as a report's replay line gives it
    --json FILE   also write every figure, with the worst cases, as JSON
    --junit FILE, --markdown FILE, --html FILE
                  also write a program's report as JUnit's XML, as Markdown, or as a
                  page that stands alone, with the errors' distributions as pictures
    --known FILE  failures that are expected; a line each:

                    giou/native/f32/far: the gradient is NaN  # a reason
                    ciou/*/f16/*: *                           # a reason
                    giou/native/f32/3f80...:4000...           # a reason

                  LOSS/DIALECT/DTYPE/STRATUM: WHAT, which is what a finding begins
                  with; * is any text, ? a character. Or an item in the stratum's
                  place, as a replay line gives it, which is asked for besides. They
                  are shown and do not count; one that passes though it was asked
                  for makes a 1

    exit status: 0 every claim holds, or the program conforms; 1 it does not; 2 the
    command line or a file is wrong; 3 the program failed or broke the protocol; 4
    nothing is wrong, but too many bands say nothing. Where several hold, 3 goes
    before 1, and 1 before 4
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard arguments.program.isEmpty else { return try VerifyProgram.run(arguments) }
    var arguments = arguments
    var verification = Verification()
    let names = try arguments.options("--loss")
    for name in names where !definitions.contains(where: { $0.name == name }) {
      throw UsageError("no loss is named \(name)")
    }
    verification.losses = Set(names)
    if let cases: Int = try arguments.number("--cases") {
      guard cases > 0 else { throw UsageError("--cases needs a positive number, not \(cases)") }
      verification.cases = cases
    }
    if let seed: UInt64 = try arguments.number("--seed") { verification.seed = seed }
    let file = try arguments.option("--json")
    try arguments.finish()

    let bar = ProgressBar()
    let began = Date()
    let reports = verification.run { bar.show($0) }
    bar.clear()
    print(table(reports))
    let seconds = String(format: "%.1f", Date().timeIntervalSince(began))
    let failed = reports.filter { !$0.holds }
    print("\n\(counts(reports)), \(failed.count) with broken claims, \(seconds) s")
    for report in failed { print(broken(report)) }
    if let file {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(reports).write(to: URL(fileURLWithPath: file))
    }
    return failed.isEmpty ? 0 : 1
  }

  /// "19 losses, 7 assignments".
  private static func counts(_ reports: [LossReport]) -> String {
    [
      (LossReport.Kind.loss, "loss", "losses"), (.assignment, "assignment", "assignments"),
      (.objective, "objective", "objectives"),
    ]
    .compactMap { kind, one, many in
      let n = reports.filter { $0.kind == kind }.count
      return n == 0 ? nil : "\(n) \(n == 1 ? one : many)"
    }.joined(separator: ", ")
  }

  // MARK: - The table

  /// A heading and a row for each precision a loss, in 80 columns, with its worst cases in Float.
  private static func table(_ reports: [LossReport]) -> String {
    var lines = [
      "Worst errors in ulps: the value's of the result, the gradient's of its scale, each",
      "with its bar. At a kink the gradient lies between the one-sided derivatives; an item",
      "is open where the oracle is too wide to decide.",
      "",
      row("", "items", "value", "gradient", "differences", "laws held", "kinks", "open", ""),
    ]
    for report in reports {
      lines.append(
        "\(report.loss): \(report.strata.count) strata, \(report.configurations) configurations, "
          + "\(report.laws.count) laws")
      if report.kind == .assignment {
        let figures = report.double
        lines.append(
          row(
            "", "\(figures.items)", "exact", "", "", "\(figures.lawsHeld)", "", "",
            report.holds ? "  holds" : "  FAILS"))
        continue
      }
      for (type, figures) in [("  f32", report.float), ("  f64", report.double)] {
        lines.append(
          row(
            type, "\(figures.items)", bar(figures.value.ulps, figures.valueBar),
            bar(figures.gradient.ulps, figures.gradientBar), "\(figures.differences)",
            "\(figures.lawsHeld)", "\(figures.kinks)", "\(figures.inconclusive)",
            figures.failures == 0 ? "  holds" : "  FAILS"))
      }
      lines.append("  value     \(worst(report.float.value))")
      lines.append("  gradient  \(worst(report.float.gradient))")
    }
    return lines.joined(separator: "\n")
  }

  private static func row(_ cells: String...) -> String {
    // Widths of the columns; the first and the last are set left, the numbers right.
    let widths = [-5, 7, 9, 10, 13, 11, 7, 6, -7]
    return zip(cells, widths).map { cell, width in
      let gap = String(repeating: " ", count: Swift.max(0, Swift.abs(width) - cell.count))
      return width < 0 ? cell + gap : gap + cell
    }.joined().trimmingTrailingSpaces
  }

  private static func bar(_ ulps: Double, _ limit: Double) -> String {
    let figure = ulps < 1000 ? String(format: "%.2f", ulps) : String(format: "%.0e", ulps)
    return "\(figure)/\(String(format: "%g", limit))"
  }

  private static func worst(_ worst: PrecisionReport.WorstCase) -> String {
    func list(_ values: [Double]) -> String {
      let shown = values.prefix(4).map { "\(Float($0))" }.joined(separator: " ")
      return values.count > 4 ? "\(shown) … (\(values.count))" : shown
    }
    guard worst.ulps > 0 else { return "exact everywhere" }
    if worst.prediction.isEmpty { return worst.place }
    return """
      \(worst.place)
                  \(list(worst.prediction))
                  at \(list(worst.target))
      """
  }

  private static func broken(_ report: LossReport) -> String {
    var lines: [String] = []
    for (type, figures) in [("f32", report.float), ("f64", report.double)]
    where figures.failures > 0 {
      lines.append("\n\(report.loss) \(type): \(figures.failures) broken claims, the first:")
      lines += figures.findings.prefix(3).map { "- " + $0 }
    }
    return lines.joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
