/// What the worked examples of dense detectors share: a 32 x 32 image with 15 anchors, and the truths
/// of three images.
enum DenseExample {
  /// Strides 16 and 32; in every cell one anchor with h / w = 1/2, 1, 2 each.
  static let anchors: [Box<Double>] = {
    var anchors: [Box<Double>] = []
    for stride in [16.0, 32] {
      let cells = Int(32 / stride)
      for cell in 0..<cells * cells {
        let (x, y) = (Double(cell % cells) + 0.5, Double(cell / cells) + 0.5)
        for root in [Double(0.5).squareRoot(), 1, Double(2).squareRoot()] {
          anchors.append(
            Box(
              centerX: x * stride, centerY: y * stride, width: stride / root,
              height: stride * root))
        }
      }
    }
    return anchors
  }()

  static let truths = [
    ImageTruths(
      [Box(x1: 1, y1: 2, x2: 15, y2: 17), Box(x1: 5, y1: 6, x2: 31, y2: 29)], labels: [0, 2]),
    ImageTruths([Box(x1: 14, y1: 3, x2: 30, y2: 14)], labels: [1]),
    ImageTruths(),
  ]
}
