import LossDefinitions

/// The strata of the vectors, and what each hunts.
enum VectorStrata {
  /// Those of the loss, and some that only vectors have.
  static func names(_ subject: Subject) -> [String] {
    subject.strata + additions(subject).map(\.name)
  }

  /// A stratum made of another one's items.
  struct Addition: Sendable {
    let name: String
    let source: String
    /// Whether gradients are judged: not where correct formulas of them underflow.
    var hasGradient = true
    let change: @Sendable (_ item: Item, _ draw: Int) -> Item
  }

  static func additions(_ subject: Subject) -> [Addition] {
    switch subject.family {
    case .boxes:
      [
        Addition(name: "tiny", source: "unit") { $0.scaled(-10 - $1 % 16) },
        Addition(name: "minute", source: "unit", hasGradient: false) { $0.scaled(-26 - $1 % 16) },
        Addition(name: "sliver", source: "unit", change: sliver),
        Addition(name: "concentric", source: "unit", change: concentric),
        Addition(name: "degenerate", source: "unit", change: degenerate),
      ]
    case .rotatedBoxes:
      [
        Addition(name: "tiny", source: "grid") { $0.scaled(-10 - $1 % 24) },
        Addition(name: "close", source: "alike", change: close),
        Addition(name: "upright", source: "grid") { item, _ in
          Item(Array(item.prediction[..<4]) + [0], Array(item.target[..<4]) + [0])
        },
      ]
    case .elements where subject.selection.loss == "bce_probabilities":
      [
        Addition(name: "ends", source: "soft") { item, draw in
          Item([Double(draw % 2)], draw % 6 < 4 ? [Double(draw / 2 % 2)] : item.target)
        }
      ]
    default: []
    }
  }

  /// Boxes of one size that share 2^-4 to 2^-15 of their width, or of their height.
  @Sendable private static func sliver(_ item: Item, _ draw: Int) -> Item {
    let t = item.target
    let share = Double(sign: .plus, exponent: -4 - draw % 12, significand: 1)
    let (along, across) = (draw % 2, 1 - draw % 2)
    let length = t[along + 2] - t[along]
    let shift = (t[across + 2] - t[across]) / 4
    var p = t
    p[along] = t[along + 2] - length * share
    p[along + 2] = p[along] + length
    p[across] += shift
    p[across + 2] += shift
    return Item(p, t)
  }

  /// A box, and the same 2^-1 to 2^-8 times its size about the same centre.
  @Sendable private static func concentric(_ item: Item, _ draw: Int) -> Item {
    let t = item.target
    let part = 0.5 - Double(sign: .plus, exponent: -2 - draw / 2 % 8, significand: 1)
    let (dx, dy) = (part * (t[2] - t[0]), part * (t[3] - t[1]))
    let p = [t[0] + dx, t[1] + dy, t[2] - dx, t[3] - dy]
    return draw % 2 == 0 ? Item(p, t) : Item(t, p)
  }

  /// A box without width, height or either against one that has them, or against itself.
  @Sendable private static func degenerate(_ item: Item, _ draw: Int) -> Item {
    var item = item
    for axis in 0...1 where (1 + draw % 3) >> axis & 1 == 1 {
      item.prediction[axis + 2] = item.prediction[axis]
    }
    if draw % 2 == 1 { swap(&item.prediction, &item.target) }
    if draw % 5 == 4 { item.target = item.prediction }
    return item
  }

  /// The prediction 2^4 to 2^11 times nearer to the target.
  @Sendable private static func close(_ item: Item, _ draw: Int) -> Item {
    let part = Double(sign: .plus, exponent: -4 - draw % 8, significand: 1)
    return Item(zip(item.prediction, item.target).map { $1 + part * ($0 - $1) }, item.target)
  }

  static func hunts(_ stratum: String, _ subject: Subject) -> String {
    let table =
      switch subject.family {
      case .boxes: boxes
      case .rotatedBoxes: rotatedBoxes
      case .keypoints: keypoints
      case .classes: classes
      case .regions: regions
      default: elements
      }
    return table[stratum] ?? ""
  }

  private static let boxes = [
    "unit": "the formula itself, swapped bounds, slopes of the wrong edge",
    "pixel": "a width of x2 - x1 + 1, and the cancellation of large coordinates",
    "far": "epsilons under small areas, far from the origin",
    "alike": "1 - IoU by subtraction, and slopes that cancel",
    "identical": "0 / 0 in the weights, and a loss that is not 0",
    "nested": "the enclosing box taken for the union",
    "touching": "the slope where an overlap begins",
    "disjoint": "a missing clamp, and a gradient that vanishes",
    "aspect": "epsilons on sides, and overflow of squares",
    "sharing": "ties of min and max",
    "tiny": "epsilons under small areas",
    "minute":
      "the smallest epsilons, in values alone: gradients underflow there in correct programs",
    "sliver": "what is added to a small IoU, of boxes apart",
    "concentric": "what is added to a small IoU, where no centre term is in the way",
    "degenerate": "0 / 0 of boxes without area",
  ]

  private static let rotatedBoxes = [
    "pixel": "the formula itself at an image's scale",
    "grid": "the formula itself at a grid's scale",
    "alike": "differences of nearly equal covariances",
    "concentric": "a centre term that does not vanish",
    "aspect": "determinants that cancel",
    "square": "angles that do not matter",
    "turned": "one box under two names",
    "far": "exponentials that underflow",
    "parallel": "crossings of nearly parallel edges",
    "aligned": "edges that lie on one another",
    "inside": "a box inside another, without crossings",
    "tiny": "epsilons and least distances, and underflow",
    "close": "least distances, and slopes that cancel",
    "upright": "small errors of the slopes, which no angle blurs",
  ]

  private static let keypoints = [
    "pixel": "the formula itself at an image's scale",
    "unit": "the formula itself in unit coordinates",
    "near": "1 - exp(-e) by subtraction",
    "exact": "a loss that is not 0 at the true place",
    "far": "exponentials that underflow",
    "small": "epsilons under small areas",
  ]

  private static let elements = [
    "unit": "the formula itself",
    "pixel": "large differences, and the cancellation of large coordinates",
    "alike": "small differences: squares that underflow, and logarithms near 1",
    "identical": "a loss that is not 0, or a slope that is not a number, at the target",
    "knee": "the wrong branch, or the wrong point of branching",
    "tiny": "epsilons, and exp(x) - 1 by subtraction",
    "large": "overflow of squares and exponentials",
    "mixed": "numbers of different sizes",
    "wide": "exponentials that overflow",
    "soft": "targets that are neither 0 nor 1",
    "nearly hard": "targets next to 0 and 1",
    "saturated": "logarithms of a probability that rounds to 0 or 1",
    "zero": "the middle, where both classes weigh the same",
    "at target": "slopes that cancel",
    "near zero": "logarithms without a floor, and epsilons inside them",
    "near one": "1 - p by subtraction",
    "clip": "another clip of the probability",
    "ends": "logarithms of 0",
  ]

  private static let classes = [
    "unit": "the formula itself",
    "wide": "exponentials without the largest subtracted",
    "alike": "differences of nearly equal logits",
    "zero": "rows without preference",
    "tie": "a largest logit that is not the only one",
    "one": "a single class: a loss that is not 0",
    "two": "two classes, as the sigmoid has them",
    "leading": "log(1 + x) by log, where the class leads",
    "trailing": "logarithms of a probability that rounds to 0",
    "saturated": "exponentials that overflow, and 0 times infinity",
    "offset": "a softmax that a common offset changes",
    "many": "sums over many classes",
    "normalised": "probabilities that sum to 1",
    "uniform": "rows without preference",
    "certain": "logarithms near 1",
    "limits": "another clip of the probabilities",
    "empty": "logarithms of 0",
  ]

  private static let regions = [
    "soft": "the formula itself, both sides between 0 and 1",
    "binary": "the formula itself, at a mask",
    "masks": "both sides of zeros and ones",
    "empty": "a target without a pixel: 0 / 0, and smoothing terms",
    "full": "a target of all pixels",
    "zero": "0 / 0 of two empty masks",
    "identical": "squares where the sum is meant",
    "exact": "a loss that is not 0 at the mask itself",
    "opposite": "a loss that is not 1 where nothing is shared",
    "near": "1 - ratio by subtraction",
    "one pixel off": "a single pixel that counts",
    "saturated": "predictions next to 0 and 1",
    "faint": "epsilons and smoothing terms under small sums",
    "pixel": "a region of one pixel",
    "large": "sums over many pixels, and their tails",
    "outside": "predictions below 0 and above 1",
  ]
}

extension Item {
  /// Places and sizes, the first four numbers of both sides, times a power of two.
  fileprivate func scaled(_ exponent: Int) -> Item {
    let scale = Double(sign: .plus, exponent: exponent, significand: 1)
    func scaled(_ x: [Double]) -> [Double] {
      x.enumerated().map { $0.offset < 4 ? $0.element * scale : $0.element }
    }
    return Item(scaled(prediction), scaled(target))
  }
}
