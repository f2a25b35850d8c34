import LossDefinitions

/// One box that moves across another: the picture of a loss of boxes in its chapter.
///
/// The target is the square from 0 to 10; the prediction, 6 wide and 8 high (turned by 0.3, if boxes
/// turn), moves from left to right with its centre 1 below the target's.
enum Shift {
  /// The folder of a family's pictures, beside its chapters.
  static func path(_ loss: LossSummary) -> String {
    "Spec/\(loss.family.rawValue)/Figures/\(loss.title).svg"
  }

  static func isShown(_ loss: LossSummary) -> Bool {
    loss.kind == .loss && (loss.family == .boxes || loss.family == .rotatedBoxes)
  }

  /// The lines of a chapter's block that shows the picture.
  static func block(_ loss: LossSummary) -> [String] {
    let turned = loss.family == .rotatedBoxes ? ", turned by 0.3," : ""
    return [
      "![The loss and its slope along a shift](Figures/\(loss.title).svg)",
      "",
      "A box 6 wide and 8 high\(turned) moves across the square from 0 to 10, its centre 1 below the",
      "square's: the loss above, and below it the gradient's component along the shift.",
    ]
  }

  static func figure(_ loss: LossSummary) throws -> String {
    let answers = try stride(from: -20.0, through: 20, by: 0.25).map { shift in
      (shift, try loss.gradient(at: item(loss.family, shift)))
    }
    func panel(_ label: String, _ y: (Gradient<Double>) -> Double) -> Plot.Panel {
      Plot.Panel(
        label: label,
        curves: [Plot.Curve(name: loss.name, points: answers.map { ($0, y($1)) })])
    }
    return Plot(
      title: "\(loss.name) along a shift", axis: "centre of the prediction, from the target's",
      panels: [
        panel("loss", \.value),
        panel("slope") {
          loss.family == .boxes ? $0.prediction[0] + $0.prediction[2] : $0.prediction[0]
        },
      ]
    ).svg
  }

  private static func item(_ family: Family, _ shift: Double) -> Item {
    family == .boxes
      ? Item([shift + 2, 2, shift + 8, 10], [0, 0, 10, 10])
      : Item([shift, 1, 6, 8, 0.3], [0, 0, 10, 10, 0])
  }
}
