/// The class term of a dense detector: the focal loss of every logit of every row of an image, the
/// target 1 at a positive row's class and 0 elsewhere. Rows that are ignored are left out.
struct DenseFocal {
  /// What a row of logits is held against: a class, or one of these.
  static let negative = -1
  static let left = -2

  let focal: Focal

  init(alpha: Double, gamma: Double) { focal = Focal(alpha: alpha, gamma: gamma) }

  /// The sum over an image's rows.
  func reference<S: Scalar>(_ logits: Shaped<S>, image: Int, labels: [Int]) -> S {
    var total: S = 0
    for (row, label) in labels.enumerated() where label != Self.left {
      for c in 0..<logits.columns {
        total = total + focal.reference(logits[image, row, c], c == label ? 1 : 0)
      }
    }
    return total
  }

  /// The sum over an image's rows over the normalizer, and its gradient in all of them.
  ///
  /// `targets` is room for a target a logit, all zeros before and after.
  @inline(always)
  func optimized<Element: LaneElement>(
    _ head: HeadBuffer<Element>, image: Int, labels: [Int], over normalizer: Double,
    targets: inout [Element]
  ) -> Double {
    let (rows, columns) = (head.shape[1], head.shape[2])
    for (row, label) in labels.enumerated() where label >= 0 { targets[row * columns + label] = 1 }
    defer {
      for (row, label) in labels.enumerated() where label >= 0 {
        targets[row * columns + label] = 0
      }
    }
    // One call of the kernel for every run of rows that are not left out.
    var total = 0.0
    var first = 0
    while first < rows {
      let isLeft = labels[first] == Self.left
      var last = first + 1
      while last < rows, (labels[last] == Self.left) == isLeft { last += 1 }
      let at = (image * rows + first) * columns
      let count = (last - first) * columns
      if isLeft {
        (head.gradient + at).update(repeating: 0, count: count)
      } else {
        total += targets.withUnsafeBufferPointer { targets in
          guard let base = targets.baseAddress else { return 0 }
          return focal.total(
            count: count, width: 1, head.values + at, base + first * columns, over: normalizer,
            gradient: head.gradient + at)
        }
      }
      first = last
    }
    return total
  }
}
