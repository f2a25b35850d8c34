extension RPN {
  /// Three shapes of one area at the places of 2 x 2 cells of 16 pixels and of one of 32: height over
  /// width ½, 1, 2.
  static let exampleAnchors: [Box<Double>] = [(16.0, 2), (32.0, 1)].flatMap { stride, cells in
    (0..<cells * cells).flatMap { cell in
      [0.5, 1, 2].map { ratio in
        let x = (Double(cell % cells) + 0.5) * stride
        let y = (Double(cell / cells) + 0.5) * stride
        let w = stride / Double.sqrt(ratio) / 2
        let h = stride * Double.sqrt(ratio) / 2
        return Box(x1: x - w, y1: y - h, x2: x + w, y2: y + h)
      }
    }
  }

  /// Two truths, one, and none.
  static let exampleImages = [
    Image([Box(x1: 1, y1: 2, x2: 15, y2: 17), Box(x1: 5, y1: 6, x2: 31, y2: 29)]),
    Image([Box(x1: 14, y1: 3, x2: 30, y2: 14)]),
    Image(),
  ]

  public static var worked: [WorkedScene<Self>] {
    [
      WorkedScene("torchvision", Self(), example(images: [0, 1])),
      WorkedScene("torchvision, an image without truths", Self(), example(images: [0, 2])),
      WorkedScene("torchvision, no truths", Self(), example(images: [2])),
      WorkedScene("detectron2", .detectron2(), example(images: [0, 1])),
      WorkedScene(
        "detectron2, an image without truths", .detectron2(), example(images: [0, 2])),
      WorkedScene("detectron2, no truths", .detectron2(), example(images: [2])),
      WorkedScene("Matterport", .matterport, example(images: [0, 1], pairs: true)),
      WorkedScene("Keras, logits", .keras(fromLogits: true), example(images: [0, 1])),
    ]
  }

  /// Heads of the example's pattern for some of its images.
  static func example(images: [Int], pairs: Bool = false) -> Scene<Supervision> {
    let scores =
      pairs ? pattern([3, 15, 2], 11, 2, 37, 18, 9) : pattern([3, 15], 7, 3, 31, 15, 8)
    let deltas = pattern([3, 15, 4], 13, 5, 41, 20, 30)
    return Scene(
      [scores.picking(images), deltas.picking(images)],
      .boxes(anchors: exampleAnchors, images: images.map { exampleImages[$0] }))
  }
}
