extension YOLOv8 {
  public static var worked: [WorkedScene<Self>] {
    var classic = Self()
    classic.topk = 3
    classic.smallTruths = .none
    var late = Self()
    late.topk = 3
    var empty = tiny
    empty.truths.rows = []
    return [
      WorkedScene("tiny, before 8.4.0", classic, tiny),
      WorkedScene("tiny", late, tiny),
      WorkedScene("batch", Self(), batch),
      WorkedScene("without truths", late, empty),
    ]
  }

  /// An image of 32 x 32, five anchors of strides 16 and 32, three classes, two truths.
  static var tiny: Scene<Truths> {
    let centers = [
      [0.2, 0.3, 1.3, 1.2], [0.9, 0.4, 0.4, 1.3], [0.3, 1.1, 1.2, 0.4], [1.1, 0.9, 0.4, 0.4],
      [0.45, 0.4, 0.35, 0.45],
    ]
    let jitter = pattern([1, 5, 4, 16], 37, 11, 101, 50, 250)
    let rows = [
      Row(image: 0, label: 1, x: 0.4375, y: 0.5, width: 0.75, height: 0.875),
      Row(image: 0, label: 2, x: 0.625, y: 0.5625, width: 0.625, height: 0.75),
    ]
    return Scene(
      [
        peaked(jitter) { _, anchor, side in centers[anchor][side] },
        channels(pattern([1, 5, 3], 29, 7, 53, 26, 20)),
      ], Truths(AnchorGrid([(2, 2), (1, 1)], strides: [16, 32]), rows))
  }

  /// Two images of 64 x 64, twenty anchors of strides 16 and 32, three classes, four truths.
  static var batch: Scene<Truths> {
    let grid = AnchorGrid([(4, 4), (2, 2)], strides: [16, 32])
    let strides = grid.strides
    let jitter = pattern([2, 20, 4, 16], 41, 3, 97, 48, 240)
    let boxes = peaked(jitter) { image, anchor, side in
      let k = 20 * image + anchor
      let pixels = [20 + 7 * k % 13, 18 + 5 * k % 11, 22 + 3 * k % 17, 19 + 11 * k % 7][side]
      return Double(pixels) / strides[anchor]
    }
    let rows = [
      Row(image: 0, label: 0, x: 0.375, y: 0.375, width: 0.6875, height: 0.6875),
      Row(image: 0, label: 2, x: 0.625, y: 0.5, width: 0.65625, height: 0.875),
      Row(image: 0, label: 1, x: 0.28125, y: 0.71875, width: 0.53125, height: 0.53125),
      Row(image: 1, label: 1, x: 0.5, y: 0.53125, width: 0.875, height: 0.8125),
    ]
    return Scene(
      [boxes, channels(pattern([2, 20, 3], 31, 5, 61, 30, 18))], Truths(grid, rows))
  }

  /// Logits −(k − centre)² / 2 and a jitter (B, A, 4, bins), as (B, 4 bins, A).
  private static func peaked(
    _ jitter: Tensor, _ center: (Int, Int, Int) -> Double
  ) -> Tensor {
    let (images, anchors, bins) = (jitter.shape[0], jitter.shape[1], jitter.shape[3])
    var boxes = Tensor(zeros: [images, 4 * bins, anchors])
    for b in 0..<images {
      for a in 0..<anchors {
        for side in 0..<4 {
          for k in 0..<bins {
            let away = Double(k) - center(b, a, side)
            boxes.data[boxes.index(b, side * bins + k, a)] =
              -(away * away) / 2 + jitter[b, a, side, k]
          }
        }
      }
    }
    return boxes
  }

  /// (B, A, C) as (B, C, A).
  private static func channels(_ rows: Tensor) -> Tensor {
    var turned = Tensor(zeros: [rows.shape[0], rows.shape[2], rows.shape[1]])
    for b in 0..<rows.shape[0] {
      for a in 0..<rows.shape[1] {
        for c in 0..<rows.shape[2] { turned.data[turned.index(b, c, a)] = rows[b, a, c] }
      }
    }
    return turned
  }
}
