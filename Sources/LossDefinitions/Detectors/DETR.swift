/// DETR's set prediction loss: queries matched one to one with truths, then class, distance and overlap.
///
///     L = λ_c Σ w_q (−ln p_q(y_q)) / Σ w_q  +  λ_b Σ |b − t|₁ / n  +  λ_g Σ (1 − GIoU(b, t)) / n
///
/// The first sum is over all queries q: y is the class of the matched truth with w = 1, or "no object",
/// the last class, with w = `noObjectWeight`. The others are over the matched pairs of boxes b and t
/// (centre and size, in parts of the image); n is the number of truths in the batch, at least 1.
/// The matching is the cheapest at `classCost` (−p(y)) + `boxCost` |b − t|₁ + `giouCost` (−GIoU). The
/// matching, the weights and n are constant.
///
/// Heads: "logits" [B, Q, C + 1] and "boxes" [B, Q, 4], already decoded: cx, cy, w, h.
///
/// Source: Carion et al. 2020, arXiv 2005.12872. Chapter: `Spec/Detectors/DETR.md`.
public struct DETR: Objective {
  public static let name = "detr"
  public typealias Truths = [CenteredTruths]

  public struct Decisions: Sendable, Equatable {
    /// The query of each truth, by image; nil where there are more truths than queries.
    public var queries: [[Int?]]
    /// The class of each query, by image; C is "no object".
    public var classes: [[Int]]
  }

  public var classCost = 1.0
  public var boxCost = 5.0
  public var giouCost = 2.0
  public var classWeight = 1.0
  public var boxWeight = 5.0
  public var giouWeight = 2.0
  /// The weight of the class "no object" in the class term: `eos_coef`.
  public var noObjectWeight = 0.1
  /// Whether a truth may have class C, as in the release: it is matched, and called no object.
  public var admitsNoObject = false

  public init() {}

  public let heads = ["logits", "boxes"]
  public let terms = ["class", "box", "giou"]

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "logits and boxes")
    }
    let (logits, boxes) = (heads[0], heads[1])
    try logits.check("logits", shape: [truths.count, nil, nil])
    guard logits.columns >= 2 else {
      throw InvalidInput(
        "logits", given: "\(logits.columns) columns", expected: "at least one class and no object")
    }
    try boxes.check("boxes", shape: [truths.count, logits.shape[1], 4])
    try logits.checkFinite("logits")
    for (k, number) in boxes.data.enumerated() {
      let isSize = k % 4 >= 2
      guard number.magnitude <= CenteredTruths.largest, !isSize || number >= 0 else {
        throw InvalidInput(
          "boxes", image: k / 4 / logits.shape[1], index: k / 4 % logits.shape[1],
          given: "\(["cx", "cy", "w", "h"][k % 4]) = \(number)",
          expected: isSize ? "a size of at least 0 and at most 2^100" : "a number of at most 2^100")
      }
    }
    let classes = logits.columns - (admitsNoObject ? 0 : 1)
    for (image, truths) in truths.enumerated() { try truths.check(image: image, classes: classes) }
  }

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    let (queries, background) = (heads[0].shape[1], heads[0].columns - 1)
    var decisions = Decisions(queries: [], classes: [])
    for (image, truths) in truths.enumerated() {
      let matching = Hungarian().optimized(costs(heads, truths, image: image))
      decisions.queries.append(matching.rows)
      decisions.classes.append(
        (0..<queries).map { matching.columns[$0].map { truths.labels[$0] } ?? background })
    }
    return decisions
  }

  /// What each query (row) costs each truth (column) of an image.
  public func costs(_ heads: [Tensor], _ truths: CenteredTruths, image: Int) -> Tensor {
    let (logits, boxes) = (heads[0], heads[1])
    var costs: [Double] = []
    for query in 0..<logits.shape[1] {
      let entropies = Softmax.negativeLogProbabilities(Self.row(logits, image, query))
      let box = CenteredBox(Self.row(boxes, image, query))
      for (truth, label) in zip(truths.boxes, truths.labels) {
        let overlap = 1 - GIoU().reference(box.corners, truth.corners)
        costs.append(
          boxCost * Self.distance(box, truth) - classCost * .exp(-entropies[label])
            - giouCost * overlap)
      }
    }
    return Tensor([logits.shape[1], truths.boxes.count], costs)
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let pairs = matched(heads[1], truths, decisions)
    let distances = pairs.map { box, truth in Self.distance(box, truth) }
    let overlaps = pairs.map { box, truth in GIoU().reference(box.corners, truth.corners) }
    let n = S(normalizer(truths))
    return [
      S(classWeight) * classTerm(heads[0], decisions),
      S(boxWeight) * .sum(distances) / n,
      S(giouWeight) * .sum(overlaps) / n,
    ]
  }

  /// The weighted mean of the queries' cross-entropies; 0 where no query has a weight.
  private func classTerm<S: Scalar>(_ logits: Shaped<S>, _ decisions: Decisions) -> S {
    var (sum, weights) = (0 as S, 0 as S)
    for (image, classes) in decisions.classes.enumerated() {
      for (query, label) in classes.enumerated() {
        let weight = S(label == logits.columns - 1 ? noObjectWeight : 1)
        let entropies = Softmax.negativeLogProbabilities(Self.row(logits, image, query))
        sum = sum + weight * entropies[label]
        weights = weights + weight
      }
    }
    return .quotient(sum, weights)
  }

  /// The matched boxes and their truths.
  private func matched<S: Scalar>(
    _ boxes: Shaped<S>, _ truths: Truths, _ decisions: Decisions
  ) -> [(CenteredBox<S>, CenteredBox<S>)] {
    var pairs: [(CenteredBox<S>, CenteredBox<S>)] = []
    for (image, queries) in decisions.queries.enumerated() {
      for (truth, query) in queries.enumerated() {
        guard let query else { continue }
        let box = CenteredBox(Self.row(boxes, image, query))
        pairs.append((box, truths[image].boxes[truth].map { S($0) }))
      }
    }
    return pairs
  }

  private static func distance<S: Scalar>(_ a: CenteredBox<S>, _ b: CenteredBox<S>) -> S {
    .sum(zip(a.numbers, b.numbers).map { .abs($0 - $1) })
  }

  /// A query's numbers.
  private static func row<Number>(_ head: Shaped<Number>, _ image: Int, _ query: Int) -> [Number] {
    let first = head.index(image, query, 0)
    return Array(head.data[first..<first + head.columns])
  }

  private func normalizer(_ truths: Truths) -> Double {
    Double(max(1, truths.reduce(0) { $0 + $1.boxes.count }))
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    [classTerm(heads[0], decisions)] + boxTerms(heads[1], truths, decisions)
  }

  /// One softmax kernel over all queries, weighted.
  private func classTerm<Element: LaneElement>(
    _ logits: HeadBuffer<Element>, _ decisions: Decisions
  ) -> Double {
    let classes = decisions.classes.flatMap { $0 }
    let columns = logits.shape[2]
    let background = columns - 1
    let matched = classes.count { $0 != background }
    let total = Double(matched) + noObjectWeight * Double(classes.count - matched)
    guard total > 0 else {
      logits.clearGradient()
      return 0
    }
    let weights = classes.map { $0 == background ? Element(noObjectWeight) : 1 }
    return SparseSoftmaxCrossEntropy().total(
      count: classes.count, width: columns, logits.values, nil, classes: classes, weights: weights,
      over: total / classWeight, gradient: logits.gradient)
  }

  /// The matched boxes are few: they are computed in Double.
  private func boxTerms<Element: LaneElement>(
    _ boxes: HeadBuffer<Element>, _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    let n = normalizer(truths)
    var pairs = CenteredPairs()
    var places: [Int] = []
    var distance = 0.0
    var signs: [CenteredBox<Double>] = []
    for (image, queries) in decisions.queries.enumerated() {
      for (index, query) in queries.enumerated() {
        guard let query else { continue }
        let place = 4 * (image * boxes.shape[1] + query)
        let truth = truths[image].boxes[index]
        let offset = CenteredBox(
          cx: truth.cx - Double(boxes.values[place]),
          cy: truth.cy - Double(boxes.values[place + 1]),
          w: truth.w - Double(boxes.values[place + 2]), h: truth.h - Double(boxes.values[place + 3])
        )
        pairs.append(
          w: Double(boxes.values[place + 2]), h: Double(boxes.values[place + 3]), to: truth,
          x: offset.cx, y: offset.cy)
        distance += offset.numbers.reduce(0) { $0 + $1.magnitude }
        signs.append(offset.map { $0 > 0 ? -1 : $0 < 0 ? 1 : 0 })
        places.append(place)
      }
    }

    let (giou, slopes) = pairs.evaluate(GIoU(), normalizer: n / giouWeight)
    boxes.clearGradient()
    for (place, (sign, slope)) in zip(places, zip(signs, slopes)) {
      for (k, (s, g)) in zip(sign.numbers, slope.numbers).enumerated() {
        boxes.gradient[place + k] = Element(boxWeight / n * s + g)
      }
    }
    return [boxWeight * distance / n, giou]
  }

  public var roundedToFloat: Self {
    var rounded = self
    for path in Self.numbers { rounded[keyPath: path] = Double(Float(self[keyPath: path])) }
    return rounded
  }

  private static var numbers: [WritableKeyPath<Self, Double>] {
    [
      \.classCost, \.boxCost, \.giouCost, \.classWeight, \.boxWeight, \.giouWeight,
      \.noObjectWeight,
    ]
  }
}
