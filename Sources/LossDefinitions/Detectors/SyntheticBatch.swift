/// A batch of images as a half-trained detector sees it, made from a seed: truths of every awkward
/// kind, and raw head outputs that have begun to follow them.
///
/// The seed is the file: the same numbers on every machine, since only sums, products, quotients and
/// square roots enter. Each image depends on the seed and on its own index alone, so that image 5 of a
/// batch of 16 can be made without the others. Coordinates are multiples of 1/8 of a pixel and logits
/// multiples of 1/64: a Float holds them all exactly.
public struct SyntheticBatch: Sendable {
  /// What is awkward about a truth.
  public enum Kind: Sendable, CaseIterable {
    /// Nothing: sides between 1/20 and 3/5 of the image's.
    case plain
    /// Shares at least half of each side with another truth.
    case crowded
    /// Sides of 1 to 8 pixels: it may hold no anchor point.
    case tiny
    /// Reaches beyond the image.
    case border
    /// The same box and class as another truth.
    case duplicate
    /// No width, or no height.
    case degenerate
  }

  public var seed: UInt64
  /// Sides of the images in pixels; every stride divides them.
  public var width = 640
  public var height = 640
  public var strides = [8, 16, 32]
  public var images = 16
  public var classes = 80
  /// Bins of each side's distance distribution.
  public var bins = 16
  /// How many truths an image has. Where none is allowed, one image in eight has none.
  public var truths = 0...60
  /// The kinds of truths; the plain ones are always there.
  public var kinds = Set(Kind.allCases)

  public init(seed: UInt64) { self.seed = seed }

  public init(seed: UInt64, side: Int, images: Int, classes: Int, truths: ClosedRange<Int>) {
    self.seed = seed
    width = side
    height = side
    self.images = images
    self.classes = classes
    self.truths = truths
  }

  /// One image's raw outputs, channel by channel over the anchor points.
  public struct Image: Sendable {
    public var truths: ImageTruths
    /// What each truth is.
    public var kinds: [Kind]
    /// (4, A): distances from the point to the predicted left, top, right and bottom, in strides.
    public var distances: [Float]
    /// (4 · bins, A): logits of each distance's distribution over 0 ..< bins, peaked at `distances`.
    public var boxes: [Float]
    /// (C, A): class logits, about −5 where there is nothing.
    public var scores: [Float]
  }

  /// The images one after the other.
  public struct Outputs: Sendable {
    public var truths: [ImageTruths]
    public var kinds: [[Kind]]
    /// (B, 4, A), (B, 4 · bins, A) and (B, C, A).
    public var distances, boxes, scores: Shaped<Float>
  }

  /// An anchor point: the centre of a cell of a level, in pixels.
  public struct Point: Sendable, Equatable {
    public let x, y, stride: Double
  }

  /// Level by level, row by row.
  public var points: [Point] {
    strides.flatMap { stride in
      let s = Double(stride)
      return (0..<height / stride).flatMap { row in
        (0..<width / stride).map { column in
          Point(x: (Double(column) + 0.5) * s, y: (Double(row) + 0.5) * s, stride: s)
        }
      }
    }
  }

  public func outputs() -> Outputs {
    let anchors = points.count
    var outputs = Outputs(
      truths: [], kinds: [], distances: Shaped([images, 4, anchors], []),
      boxes: Shaped([images, 4 * bins, anchors], []),
      scores: Shaped([images, classes, anchors], []))
    outputs.boxes.data.reserveCapacity(images * 4 * bins * anchors)
    outputs.scores.data.reserveCapacity(images * classes * anchors)
    for index in 0..<images {
      let image = image(index)
      outputs.truths.append(image.truths)
      outputs.kinds.append(image.kinds)
      outputs.distances.data += image.distances
      outputs.boxes.data += image.boxes
      outputs.scores.data += image.scores
    }
    return outputs
  }

  public func image(_ index: Int) -> Image {
    var random = SplitMix(seed: seed, "image", "\(index)")
    let (truths, kinds) = makeTruths(using: &random)
    let sights = points.map { sight(of: truths, at: $0) }
    let distances = makeDistances(sights, truths, using: &random)
    return Image(
      truths: truths, kinds: kinds, distances: distances,
      boxes: makeBoxes(distances, using: &random),
      scores: makeScores(sights, truths, using: &random))
  }
}

// MARK: - Truths

extension SyntheticBatch {
  private func makeTruths(using random: inout SplitMix) -> (ImageTruths, [Kind]) {
    let isEmpty = truths.lowerBound == 0 && random.chance(0.125)
    let count = isEmpty ? 0 : random.integer(truths)
    var made = ImageTruths()
    var kinds: [Kind] = []
    while made.boxes.count < count {
      let (box, label, kind) = makeTruth(beside: made, using: &random)
      made.boxes.append(box)
      made.labels.append(label)
      kinds.append(kind)
    }
    return (made, kinds)
  }

  private func makeTruth(
    beside others: ImageTruths, using random: inout SplitMix
  ) -> (Box<Double>, Int, Kind) {
    let label = random.integer(0...classes - 1)
    let other = others.boxes.isEmpty ? nil : random.integer(0...others.boxes.count - 1)
    let kind = pickKind(hasOther: other != nil, using: &random)
    switch (kind, other) {
    case (.duplicate, let other?):
      return (others.boxes[other], others.labels[other], kind)
    case (.crowded, let other?):
      let near = others.boxes[other]
      func moved(_ side: Double) -> Double { eighths(random.uniform(-0.4, 0.4) * side) }
      let (dx, dy) = (moved(near.width), moved(near.height))
      let box = Box(
        x1: near.x1 + dx, y1: near.y1 + dy, x2: near.x2 + dx, y2: near.y2 + dy)
      return (box, random.chance(0.7) ? others.labels[other] : label, kind)
    case (.tiny, _):
      let sides = (eighths(random.uniform(1, 8)), eighths(random.uniform(1, 8)))
      return (place(sides, using: &random), label, kind)
    case (.degenerate, _):
      let side = eighths(random.uniform(8, Double(width) / 4))
      return (place(random.chance(0.5) ? (0, side) : (side, 0), using: &random), label, kind)
    case (.border, _):
      let box = place(plainSides(using: &random), using: &random)
      let part = eighths(random.uniform(0.1, 0.5) * box.width)
      let shift = random.chance(0.5) ? -part - box.x1 : Double(width) + part - box.x2
      return (
        Box(x1: box.x1 + shift, y1: box.y1, x2: box.x2 + shift, y2: box.y2), label, kind
      )
    default:
      return (place(plainSides(using: &random), using: &random), label, .plain)
    }
  }

  private func pickKind(hasOther: Bool, using random: inout SplitMix) -> Kind {
    let chances: [(Kind, Double)] = [
      (.crowded, 0.2), (.tiny, 0.12), (.border, 0.08), (.duplicate, 0.04), (.degenerate, 0.03),
    ]
    var rest = random.uniform(0, 1)
    for (kind, chance) in chances {
      rest -= chance
      guard rest < 0 else { continue }
      let needsOther = kind == .crowded || kind == .duplicate
      return kinds.contains(kind) && (hasOther || !needsOther) ? kind : .plain
    }
    return .plain
  }

  private func plainSides(using random: inout SplitMix) -> (Double, Double) {
    let side = Double(min(width, height))
    return (
      eighths(random.logarithmic(side / 20, 0.6 * side)),
      eighths(random.logarithmic(side / 20, 0.6 * side))
    )
  }

  /// A box of these sides, anywhere inside the image.
  private func place(
    _ sides: (Double, Double), using random: inout SplitMix
  ) -> Box<Double> {
    let x = eighths(random.uniform(0, Double(width) - sides.0))
    let y = eighths(random.uniform(0, Double(height) - sides.1))
    return Box(x1: x, y1: y, x2: x + sides.0, y2: y + sides.1)
  }

  private func eighths(_ x: Double) -> Double { (8 * x).rounded(.down) / 8 }
}

// MARK: - Head outputs

extension SyntheticBatch {
  /// The truth that a point has begun to predict, and how sure of it the detector is, 0 to 1.
  private struct Sight {
    var truth: Int?
    var strength = 0.0
    let point: Point
  }

  /// The smallest truth that holds the point; the surer, the nearer the point to its centre and the
  /// better its size fits the level.
  private func sight(of truths: ImageTruths, at point: Point) -> Sight {
    var sight = Sight(point: point)
    var smallest = Double.infinity
    for (i, box) in truths.boxes.enumerated() {
      let (dx, dy) = (2 * point.x - box.x1 - box.x2, 2 * point.y - box.y1 - box.y2)
      let area = box.width * box.height
      guard dx.magnitude < box.width, dy.magnitude < box.height, area < smallest else { continue }
      smallest = area
      sight.truth = i
      let level = strides.first { area <= Double(64 * $0 * $0) } ?? strides.last
      let ratio = Double(level ?? 1) / point.stride
      let fit = min(ratio, 1 / ratio)
      let centred = 1 - max(dx.magnitude / box.width, dy.magnitude / box.height)
      sight.strength = fit * centred.squareRoot()
    }
    return sight
  }

  /// The true distances, off by a tenth of themselves or so; of a point that sees nothing, any.
  private func makeDistances(
    _ sights: [Sight], _ truths: ImageTruths, using random: inout SplitMix
  ) -> [Float] {
    let most = Double(bins - 1)
    var distances: [Float] = []
    distances.reserveCapacity(4 * sights.count)
    for side in 0..<4 {
      for sight in sights {
        var distance = 1 + 0.25 * Double(random.next() & 15)
        if let truth = sight.truth {
          let box = truths.boxes[truth]
          let (x, y, s) = (sight.point.x, sight.point.y, sight.point.stride)
          let exact = [x - box.x1, y - box.y1, box.x2 - x, box.y2 - y][side] / s
          distance = exact * (1 + 0.1 * noise(random.next())) + 0.2 * noise(random.next())
        }
        distances.append(Float(round(min(max(distance, 0), most))))
      }
    }
    return distances
  }

  /// Logits −(k − d)² / 2, and noise: distributions about as wide as a bin.
  private func makeBoxes(_ distances: [Float], using random: inout SplitMix) -> [Float] {
    let anchors = distances.count / 4
    var boxes: [Float] = []
    boxes.reserveCapacity(bins * distances.count)
    for side in 0..<4 {
      for bin in 0..<bins {
        for a in 0..<anchors {
          let away = Double(bin) - Double(distances[side * anchors + a])
          let logit = -0.5 * away * away + 0.25 * noise(random.next())
          boxes.append(Float(round(max(logit, -30))))
        }
      }
    }
    return boxes
  }

  /// Class logits about −5, one in a thousand about 0 for no reason; up to 2 at the class of the truth
  /// that the point sees.
  private func makeScores(
    _ sights: [Sight], _ truths: ImageTruths, using random: inout SplitMix
  ) -> [Float] {
    var scores: [Float] = []
    scores.reserveCapacity(classes * sights.count)
    for label in 0..<classes {
      for sight in sights {
        let bits = random.next()
        var logit = -5 + noise(bits)
        if bits >> 54 == 0 { logit += 4 }
        if let truth = sight.truth, truths.labels[truth] == label { logit += 7 * sight.strength }
        scores.append(Float(round(logit)))
      }
    }
    return scores
  }

  /// About normal, with deviation 0.7 and at most 4: the ones among 32 random bits.
  private func noise(_ bits: UInt64) -> Double {
    Double((bits & 0xffff_ffff).nonzeroBitCount - 16) / 4
  }

  /// To a multiple of 1/64.
  private func round(_ x: Double) -> Double { (64 * x).rounded(.down) / 64 }
}
