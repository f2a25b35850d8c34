/// YOLOX's loss: boxes and classes of the predictions that SimOTA assigns, objectness of all.
///
///     L = λ/N Σ_fg (1 − IoU²) + 1/N Σ_all BCE(o; fg) + 1/N Σ_fg Σ_c BCE(z_c; IoU [c = c_g])
///       + 1/N Σ_fg |raw − raw*|₁
///
/// fg are the predictions with a truth, N their number in the batch, at least 1. A prediction of the cell
/// (i, j) of a level with stride s is the box x = (dx + i) s, y = (dy + j) s, w = s e^dw, h = s e^dh. The
/// IoU in the class targets, without the epsilon of the box term, is held constant, as are the
/// assignment and N. raw* are the numbers that decode to the truth, the logarithms of w/s + 1e-8.
///
/// Heads: one a stride, [B, H, W, 5 + C]: dx, dy, dw, dh, o, then z, all raw. Truths are in pixels.
///
/// Source: Ge et al. 2021, arXiv 2107.08430. Chapter: `Spec/Detectors/YOLOX.md`.
public struct YOLOX: Objective {
  public static let name = "yolox"
  public typealias Truths = [CenteredTruths]

  public struct Decisions: Sendable, Equatable {
    /// By image.
    public var matchings: [SimOTA.Matching]
    public var foreground: [Place]
  }

  /// A prediction that has a truth.
  public struct Place: Sendable, Equatable {
    public var image: Int
    public var level: Int
    /// Its row and column in the level.
    public var y, x: Int
    public var truth: Int
  }

  public var strides: [Double] = [8, 16, 32]
  public var assignment = SimOTA()
  /// λ.
  public var boxWeight = 5.0
  /// Whether the raw numbers are regressed, too, as in the last epochs.
  public var usesL1 = true
  /// Added to the union in the box term.
  public var unionEpsilon = 1e-16
  /// Added to a truth's size, in cells, before its logarithm.
  public var sizeEpsilon = 1e-8

  public init() {}

  public init(strides: [Double]) { self.strides = strides }

  public var heads: [String] { strides.map { "stride \($0)" } }
  public let terms = ["box", "objectness", "class", "l1"]

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == strides.count, let first = heads.first else {
      throw InvalidInput(
        "heads", given: "\(heads.count) heads", expected: "one for each of \(strides.count) strides"
      )
    }
    for stride in strides where !(stride > 0 && stride <= CenteredTruths.largest) {
      throw InvalidInput("strides", given: "\(stride)", expected: "a number above 0")
    }
    try assignment.checkSettings()
    guard first.columns >= 6 else {
      throw InvalidInput(
        "head", level: 0, given: "\(first.columns) columns",
        expected: "box, objectness and at least one class")
    }
    for (level, head) in heads.enumerated() {
      let name = self.heads[level]
      try head.check(name, shape: [truths.count, nil, nil, first.columns])
      try head.checkFinite(name, level: level)
      for (k, number) in head.data.enumerated() where k % head.columns < 4 {
        let most = k % head.columns < 2 ? CenteredTruths.largest : Self.mostRawSize
        guard number.magnitude <= most else {
          throw InvalidInput(
            name, image: k / (head.data.count / truths.count), level: level,
            index: k % (head.data.count / truths.count), given: "\(number)",
            expected: "a number of at most \(most)")
        }
      }
    }
    for (image, truths) in truths.enumerated() {
      try truths.check(image: image, classes: first.columns - 5)
    }
  }

  /// The sizes e^±150 still have areas whose squares are finite.
  static let mostRawSize = 150.0

  // MARK: Assignment

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    var decisions = Decisions(matchings: [], foreground: [])
    for (image, truths) in truths.enumerated() {
      let places = places(heads, image)
      let matching = assignment.optimized(problem(heads, truths, places))
      for (place, owner) in zip(places, matching.owners) {
        guard let owner else { continue }
        var owned = place
        owned.truth = owner
        decisions.foreground.append(owned)
      }
      decisions.matchings.append(matching)
    }
    return decisions
  }

  /// What one image hands to the assignment.
  private func problem(
    _ heads: [Tensor], _ truths: CenteredTruths, _ places: [Place]
  ) -> SimOTA.Problem {
    let rows = places.map { row(heads, $0) }
    return SimOTA.Problem(
      points: places.map { place in
        let stride = strides[place.level]
        return SimOTA.Point(
          x: (Double(place.x) + 0.5) * stride, y: (Double(place.y) + 0.5) * stride, stride: stride)
      },
      boxes: zip(rows, places).map { decode($0, $1) }, objectness: rows.map { $0[4] },
      classes: Tensor([rows.count, heads[0].columns - 5], rows.flatMap { $0[5...] }),
      truths: truths)
  }

  /// The predictions of an image: level by level, row by row.
  private func places<Number>(_ heads: [Shaped<Number>], _ image: Int) -> [Place] {
    heads.enumerated().flatMap { level, head in
      (0..<head.shape[1] * head.shape[2]).map { k in
        Place(
          image: image, level: level, y: k / head.shape[2], x: k % head.shape[2], truth: -1)
      }
    }
  }

  private func row<Number>(_ heads: [Shaped<Number>], _ place: Place) -> [Number] {
    let head = heads[place.level]
    let first = head.index(place.image, place.y, place.x, 0)
    return Array(head.data[first..<first + head.columns])
  }

  private func decode<S: Scalar>(_ row: [S], _ place: Place) -> CenteredBox<S> {
    let stride = S(strides[place.level])
    return CenteredBox(
      cx: (row[0] + S(Double(place.x))) * stride, cy: (row[1] + S(Double(place.y))) * stride,
      w: .exp(row[2]) * stride, h: .exp(row[3]) * stride)
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    var (box, objectness, classes, l1) = (0 as S, 0 as S, 0 as S, 0 as S)
    for image in truths.indices {
      let owners = decisions.matchings[image].owners
      for (place, owner) in zip(places(heads, image), owners) {
        let target: S = owner == nil ? 0 : 1
        objectness = objectness + BinaryCrossEntropy().reference(row(heads, place)[4], target)
      }
    }
    for place in decisions.foreground {
      let row = row(heads, place)
      let truth = truths[place.image].boxes[place.truth].map { S($0) }
      let prediction = decode(row, place).corners
      box = box + boxLoss.reference(prediction, truth.corners)

      let overlap = SimOTA.overlap(prediction, truth.corners).detached
      let label = truths[place.image].labels[place.truth]
      for (c, logit) in row[5...].enumerated() {
        classes =
          classes + BinaryCrossEntropy().reference(logit, c == label ? overlap : 0)
      }
      for (raw, target) in zip(row, encode(truth, place).numbers) {
        l1 = l1 + .abs(raw - target)
      }
    }
    let n = S(normalizer(decisions))
    return [
      S(boxWeight) * box / n, objectness / n, classes / n, usesL1 ? l1 / n : 0,
    ]
  }

  /// 1 − IoU².
  var boxLoss: IoU { IoU(.square, unionEpsilon: unionEpsilon) }

  /// The raw numbers of a truth.
  private func encode<S: Scalar>(_ truth: CenteredBox<S>, _ place: Place) -> CenteredBox<S> {
    let (stride, ε) = (S(strides[place.level]), S(sizeEpsilon))
    return CenteredBox(
      cx: truth.cx / stride - S(Double(place.x)), cy: truth.cy / stride - S(Double(place.y)),
      w: .log(truth.w / stride + ε), h: .log(truth.h / stride + ε))
  }

  func normalizer(_ decisions: Decisions) -> Double {
    Double(max(1, decisions.foreground.count))
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    for head in heads { head.clearGradient() }
    let objectness = objectnessTerm(heads, decisions)
    let rest = foregroundTerms(heads, truths, decisions)
    return [rest.box, objectness, rest.classes, rest.l1]
  }

  /// The objectness logits of all heads, gathered for one call of the kernel.
  private func objectnessTerm<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ decisions: Decisions
  ) -> Double {
    var logits: [Element] = []
    for head in heads {
      for k in 0..<head.count / head.shape[3] { logits.append(head.values[k * head.shape[3] + 4]) }
    }
    var targets = [Element](repeating: 0, count: logits.count)
    var starts: [Int] = []
    var cells = 0
    for head in heads {
      starts.append(cells)
      cells += head.count / head.shape[3]
    }
    for place in decisions.foreground {
      targets[starts[place.level] + cell(place, heads[place.level])] = 1
    }
    var slopes = logits
    let total = BinaryCrossEntropy().total(
      count: logits.count, width: 1, logits, targets, over: normalizer(decisions),
      gradient: &slopes)
    for (start, head) in zip(starts, heads) {
      for k in 0..<head.count / head.shape[3] {
        head.gradient[k * head.shape[3] + 4] = slopes[start + k]
      }
    }
    return total
  }

  func cell<Element: LaneElement>(_ place: Place, _ head: HeadBuffer<Element>) -> Int {
    (place.image * head.shape[1] + place.y) * head.shape[2] + place.x
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.boxWeight = Double(Float(boxWeight))
    rounded.unionEpsilon = Double(Float(unionEpsilon))
    rounded.sizeEpsilon = Double(Float(sizeEpsilon))
    return rounded
  }
}
