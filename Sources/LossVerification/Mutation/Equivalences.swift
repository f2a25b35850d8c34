import LossDefinitions

extension Mutant {
  /// Why no input shows a mutant of a loss, where none does.
  static func equivalence(of name: String, _ loss: String) -> [Format: String] {
    let reasons = equivalences.filter { $0.loss == loss && $0.names.contains(name) }
    return Dictionary(reasons.flatMap { entry in entry.formats.map { ($0, entry.reason) } }) {
      first, _ in first
    }
  }

  private static let equivalences:
    [(loss: String, formats: [Format], names: [String], reason: String)] = [
      (
        "ciou", [.f32], [1e-16, 1e-9, 1e-7, 1e-6].map { "epsilon \($0) on alpha" }, weightReason
      ),
      ("ciou", [.f64], ["epsilon 1e-16 on alpha"], weightReason),
      ("alpha_iou", [.f32], ["settings: aspectEpsilon = 1e-07"], weightReason),
      (
        "kfiou", [.f32, .f64],
        [
          "component 0 off by 0.0001", "component 1 off by 0.0001", "component 0 off by 1e-06",
          "component 1 off by 1e-06", "components 0 and 1 swapped",
        ],
        "The loss does not depend on the centre: both components are 0."
      ),
    ]

  /// Of an epsilon in the denominator of CIoU's weight.
  private static let weightReason = """
    The aspect term and its slopes change by less than epsilon / (1 - IoU + v) of themselves. Where \
    they are not small against the other terms, 1 - IoU + v is near 1, and epsilon is less than what \
    the arctangent may be off by: 4 ulp, times four half-widths. Near the target the term is smaller \
    than the others by more than 1 - IoU, and so is the change.
    """
}
