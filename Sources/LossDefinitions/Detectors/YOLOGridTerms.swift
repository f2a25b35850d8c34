// What the references of the YOLO objectives are made of.

extension Scalar {
  /// The cross-entropy of a logit with a label or a probability.
  static func entropy(_ x: Self, _ t: Self) -> Self {
    .weighted(t, .softplus(-x)) + .weighted(1 - t, .softplus(x))
  }
}

extension GridHead where S: Scalar {
  /// Σ BCE of the two offsets.
  func offsetEntropy(_ slot: Int, _ target: GridTarget) -> S {
    .entropy(self[slot, 0], S(target.x)) + .entropy(self[slot, 1], S(target.y))
  }

  /// Σ (x − ln(size / prior))² of the two sides.
  func sizeSquares(_ slot: Int, _ target: GridTarget) -> S {
    let width = S.log(S(target.box.w) / S(target.prior.width))
    let height = S.log(S(target.box.h) / S(target.prior.height))
    return .square(self[slot, 2] - width) + .square(self[slot, 3] - height)
  }

  /// Σ BCE of the classes, each on its own.
  func classEntropy(_ slot: Int, _ classes: [Int]) -> S {
    .sum((0..<grid.classes).map { .entropy(self[slot, 5 + $0], classes.contains($0) ? 1 : 0) })
  }

  /// The IoU of the predicted box with the truth.
  func overlap(_ slot: Int, _ target: GridTarget) -> S { box(slot).iou(target.box.map { S($0) }) }
}
