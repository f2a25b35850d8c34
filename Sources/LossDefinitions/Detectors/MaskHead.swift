/// The mask of each detected object: binary cross-entropy of its class's channel against its mask.
///
///     mask = g / (P H W) Σ_{i in P} Σ_{y, x} ℓ(z_{i, cᵢ, y, x}, t_{i, y, x})
///
/// z: a head of H x W numbers a row and channel; cᵢ: the channel of row i's class, and no row of the
/// background is in P; t in [0, 1]: the target masks; g: the gain. ℓ is the binary cross-entropy of a
/// logit, or of a probability clipped to [ε, 1 − ε]. Other channels do not matter; only the softmax
/// form, in which a pixel is of the row's class (t ≥ 1/2) or of the background, lets them compete.
/// Without rows the term is 0. Rows and targets are constant.
///
/// Source: He et al. 2017, Mask R-CNN, arXiv 1703.06870, section 3; torchvision 0.28.0, detectron2
/// 02b5c4e, Matterport Mask_RCNN 0.2. Chapter: `Spec/Detectors/MaskHead.md`.
public struct MaskHead: Objective {
  public static let name = "mask_head"
  public static let dialects: [Dialect] = [torchvision, matterport]

  public enum Cost: Sendable, Equatable {
    /// Each number is a logit.
    case logits
    /// Each number is a probability, clipped to [epsilon, 1 − epsilon]: no slope outside.
    case probabilities(epsilon: Double)
    /// A pixel's channels are the logits of its class; the background is the channel named.
    case softmax(background: Int)
  }

  public enum Layout: Sendable {
    /// (rows, channels, H, W)
    case channelsFirst
    /// (rows, H, W, channels)
    case channelsLast
  }

  public var cost = Cost.logits
  public var layout = Layout.channelsFirst
  public var gain = 1.0

  /// What the rows are held against.
  public struct Truths: Sendable, Equatable {
    /// The channel of each row's class; nil for a row without a mask: background or padding.
    public var channels: [Int?]
    /// (rows, H, W) numbers in [0, 1]; those of rows without a mask are not read.
    public var masks: Tensor

    public init(channels: [Int?], masks: Tensor) {
      self.channels = channels
      self.masks = masks
    }
  }

  public struct Decisions: Sendable, Equatable {
    /// The rows that have a mask.
    public var rows: [Int]
    /// In the softmax form, the channel of each of their pixels.
    public var classes: [Int]
  }

  public init() {}

  public init(_ cost: Cost, _ layout: Layout = .channelsFirst) {
    self.cost = cost
    self.layout = layout
  }

  public var heads: [String] { ["masks"] }
  public var terms: [String] { ["mask"] }

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 1 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "1")
    }
    let rows = truths.channels.count
    try truths.masks.check("target_masks", shape: [rows, nil, nil])
    let (h, w) = (truths.masks.shape[1], truths.masks.shape[2])
    try heads[0].check(
      "masks", shape: layout == .channelsFirst ? [rows, nil, h, w] : [rows, h, w, nil])
    try heads[0].checkFinite("masks")
    let channels = self.channels(heads[0].shape)
    for (row, channel) in truths.channels.enumerated() {
      guard let channel else { continue }
      guard (0..<channels).contains(channel) else {
        throw InvalidInput(
          "channels", index: row, given: "channel \(channel)", expected: "0 ..< \(channels)")
      }
      for k in row * h * w..<(row + 1) * h * w where !(0...1).contains(truths.masks[k]) {
        throw InvalidInput(
          "target_masks", index: k, given: "\(truths.masks[k])", expected: "a number in [0, 1]")
      }
    }
    try checkSettings(heads[0], channels)
  }

  private func checkSettings(_ head: Tensor, _ channels: Int) throws(InvalidInput) {
    switch cost {
    case .logits: break
    case .probabilities(let epsilon):
      guard (0...0.25).contains(epsilon) else {
        throw InvalidInput("epsilon", given: "\(epsilon)", expected: "a number in [0, 0.25]")
      }
      for (k, p) in head.data.enumerated() where !(0...1).contains(p) {
        throw InvalidInput("masks", index: k, given: "\(p)", expected: "a probability")
      }
    case .softmax(let background):
      guard (0..<channels).contains(background) || channels == 0 else {
        throw InvalidInput(
          "background", given: "channel \(background)", expected: "0 ..< \(channels)")
      }
    }
    guard gain >= 0, gain.isFinite else {
      throw InvalidInput("gain", given: "\(gain)", expected: "a finite number of at least 0")
    }
  }

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    let rows = truths.channels.indices.filter { truths.channels[$0] != nil }
    guard case .softmax(let background) = cost else { return Decisions(rows: rows, classes: []) }
    let classes = rows.flatMap { row in
      truths.pixels(row).map { t in t >= 0.5 ? truths.channels[row] ?? background : background }
    }
    return Decisions(rows: rows, classes: classes)
  }

  private func channels(_ shape: [Int]) -> Int { layout == .channelsFirst ? shape[1] : shape[3] }

  /// Where a number of the head is.
  private func index(_ row: Int, _ channel: Int, _ pixel: Int, _ pixels: Int, _ channels: Int)
    -> Int
  {
    switch layout {
    case .channelsFirst: (row * channels + channel) * pixels + pixel
    case .channelsLast: (row * pixels + pixel) * channels + channel
    }
  }

  /// Where the numbers are that the term reads: of each row its channel's pixels, or in the softmax
  /// form, pixel after pixel, all channels.
  func places(_ shape: [Int], _ truths: Truths, _ decisions: Decisions) -> [Int] {
    let channels = self.channels(shape)
    let pixels = truths.masks.shape[1] * truths.masks.shape[2]
    var places: [Int] = []
    places.reserveCapacity(decisions.rows.count * pixels)
    for row in decisions.rows {
      for pixel in 0..<pixels {
        switch cost {
        case .logits, .probabilities:
          places.append(index(row, truths.channels[row] ?? 0, pixel, pixels, channels))
        case .softmax:
          for channel in 0..<channels {
            places.append(index(row, channel, pixel, pixels, channels))
          }
        }
      }
    }
    return places
  }

  /// P H W, at least 1.
  private func count(_ truths: Truths, _ decisions: Decisions) -> Double {
    Double(max(1, decisions.rows.count * truths.masks.shape[1] * truths.masks.shape[2]))
  }

  /// The clip of a probability p from above is at 1 − ε as rounded, and so 1 − p's from below.
  private func clipped(_ epsilon: Double) -> BinaryCrossEntropyFromProbabilities {
    BinaryCrossEntropyFromProbabilities(epsilon: epsilon, upperEpsilon: 1 - (1 - epsilon))
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let numbers = places(heads[0].shape, truths, decisions).map { heads[0][$0] }
    let targets = decisions.rows.flatMap { truths.pixels($0) }.map { S($0) }
    let costs: [S] =
      switch cost {
      case .logits:
        zip(numbers, targets).map { BinaryCrossEntropy().reference($0, $1) }
      case .probabilities(let epsilon):
        zip(numbers, targets).map { clipped(epsilon).reference($0, $1) }
      case .softmax:
        decisions.classes.enumerated().map { pixel, label in
          let channels = self.channels(heads[0].shape)
          let logits = Array(numbers[pixel * channels..<(pixel + 1) * channels])
          return SparseSoftmaxCrossEntropy().reference(logits, [S(Double(label))])
        }
      }
    return [S(gain) * S.sum(costs) / S(count(truths, decisions))]
  }

  // MARK: Optimized

  /// The numbers that are read, gathered; one kernel; its gradient, scattered.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    let head = heads[0]
    let places = places(head.shape, truths, decisions)
    let numbers = places.map { head.values[$0] }
    let targets = decisions.rows.flatMap { truths.pixels($0) }
    let divisor = count(truths, decisions) / gain
    var gradient = numbers
    let total =
      switch cost {
      case .logits:
        binary(BinaryCrossEntropy(), numbers, targets, divisor, &gradient)
      case .probabilities(let epsilon):
        binary(clipped(epsilon), numbers, targets, divisor, &gradient)
      case .softmax:
        SparseSoftmaxCrossEntropy().total(
          count: decisions.classes.count, width: channels(head.shape), numbers, nil,
          classes: decisions.classes, over: divisor, gradient: &gradient)
      }
    head.clearGradient()
    for (place, slope) in zip(places, gradient) { head.gradient[place] = slope }
    return [total]
  }

  /// Both cross-entropies are t ℓ(z, 1) + (1 − t) ℓ(z, 0). Targets that the precision does not hold
  /// enter as the weights t and 1 − t, each rounded by itself: near 1 a rounded t leaves no 1 − t.
  private func binary<Element: LaneElement>(
    _ loss: some ElementLoss, _ numbers: [Element], _ targets: [Double], _ divisor: Double,
    _ gradient: inout [Element]
  ) -> Double {
    let rounded = targets.map { Element($0) }
    if zip(rounded, targets).allSatisfy({ Double($0) == $1 }) {
      return loss.total(
        count: numbers.count, width: 1, numbers, rounded, over: divisor, gradient: &gradient)
    }
    let ones = [Element](repeating: 1, count: numbers.count)
    let zeros = [Element](repeating: 0, count: numbers.count)
    let others = targets.map { Element(1 - $0) }
    var slopes = numbers
    let inside = loss.total(
      count: numbers.count, width: 1, numbers, ones, weights: rounded, over: divisor,
      gradient: &gradient)
    let outside = loss.total(
      count: numbers.count, width: 1, numbers, zeros, weights: others, over: divisor,
      gradient: &slopes)
    for k in slopes.indices { gradient[k] += slopes[k] }
    return inside + outside
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.gain = Double(Float(gain))
    if case .probabilities(let epsilon) = cost {
      rounded.cost = .probabilities(epsilon: Double(Float(epsilon)))
    }
    return rounded
  }
}
