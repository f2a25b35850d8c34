import LossDefinitions

/// The attempt to refute a loss's inequalities: a search by hill-climbing for the items that bring the
/// two sides of each closest together.
///
/// The search is on plain numbers, relative to the larger side. Where it finds the sides exchanged,
/// the certified bounds decide whether that is a rounding error or a counterexample.
public struct Refutation: Sendable {
  /// How near a search came to a counterexample.
  public struct Approach: Sendable {
    public let law: String
    public let configuration: String
    public let item: Item
    public let greater, lesser: Double
    public let evaluations: Int
    /// What the certified bounds say of the item, if they refute the law.
    public let counterexample: String?
  }

  /// How often the sides of one law are evaluated, at least.
  public let evaluations: Int
  public let seed: UInt64

  public init(evaluations: Int = 100_000, seed: UInt64 = 1) {
    self.evaluations = evaluations
    self.seed = seed
  }

  /// The closest approach to a counterexample of each inequality among a loss's laws.
  public func approaches<L: FixedWidthLoss>(_: L.Type) -> [Approach] {
    L.laws.compactMap { law in
      guard let sides = law.sides else { return nil }
      let applying = L.configurations.filter { applies(sides, $0) }
      guard !applying.isEmpty else { return nil }
      return search(law, sides, applying)
    }
  }

  private typealias Sides<L: Loss> = (L, Item, any LawValues) -> [Law<L>.Sides]

  private func applies<L: FixedWidthLoss>(
    _ sides: Sides<L>, _ configuration: Configuration<L>
  ) -> Bool {
    var random = SplitMix(seed: seed, "applies")
    return L.strata.contains { stratum in
      let item = configuration.loss.sample(stratum, using: &random)
      return !sides(configuration.loss, item, PlainValues()).isEmpty
    }
  }

  private func search<L: FixedWidthLoss>(
    _ law: Law<L>, _ sides: Sides<L>, _ configurations: [Configuration<L>]
  ) -> Approach {
    var random = SplitMix(seed: seed, L.name, law.statement)
    var count = 0
    func measure(_ loss: L, _ item: Item) -> Gap {
      count += 1
      let gaps = sides(loss, item, PlainValues()).map {
        Gap($0.greater.lower.hi, $0.lesser.upper.hi)
      }
      return gaps.min { $0.size < $1.size } ?? Gap(.infinity, 0)
    }
    var best: (gap: Gap, configuration: Configuration<L>, item: Item)?
    var start = 0
    while count < evaluations {
      let configuration = configurations[start % configurations.count]
      let stratum = L.strata[start / configurations.count % L.strata.count]
      start += 1
      var item = configuration.loss.sample(stratum, using: &random)
      var gap = measure(configuration.loss, item)
      var (misses, reach) = (0, 0.5)
      while misses < 60 && count < evaluations {
        let next = item.moved(L.family, by: reach, using: &random)
        let there = measure(configuration.loss, next)
        if there.size < gap.size {
          (item, gap, misses) = (next, there, 0)
          reach = Swift.min(2 * reach, 4)
        } else {
          misses += 1
          reach = Swift.max(0.8 * reach, 0x1p-20)
        }
      }
      if best.map({ gap.size < $0.gap.size }) ?? true { best = (gap, configuration, item) }
    }
    guard let best else { preconditionFailure("a search evaluates at least once") }
    var counterexample: String?
    if case .refuted(let why) = law.check(best.configuration.loss, best.item, OracleValues()) {
      counterexample = why
    }
    return Approach(
      law: law.statement, configuration: best.configuration.label, item: best.item,
      greater: best.gap.greater, lesser: best.gap.lesser, evaluations: count,
      counterexample: counterexample)
  }
}

/// Two sides of an inequality, in plain numbers.
private struct Gap {
  let greater, lesser: Double

  init(_ greater: Double, _ lesser: Double) {
    self.greater = greater
    self.lesser = lesser
  }

  /// How far they are apart, over the larger of them; absolute where one is 0.
  var size: Double {
    let scale = lesser == 0 ? 1 : Swift.max(greater.magnitude, lesser.magnitude)
    let size = (greater - lesser) / scale
    return size.isNaN ? .infinity : size
  }
}

/// A law's values from the reference in plain numbers.
private struct PlainValues: LawValues {
  func value<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble> {
    Interval(loss.value(at: item))
  }

  func loose<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble> { value(loss, item) }
}

extension Item {
  /// A neighbour in the family's domain: one or two of its numbers moved, by about `reach` of the
  /// size that they have.
  fileprivate func moved(
    _ family: Family, by reach: Double, using random: inout SplitMix
  ) -> Item {
    var item = self
    for _ in 0..<random.integer(1...3) {
      let step = reach * random.sign() * random.logarithmic(0x1p-10, 1)
      switch family {
      case .boxes where random.chance(0.1): item.alignEdges(random.integer(0...3))
      case .boxes: item.moveBox(random.chance(0.5), random.integer(0...3), step)
      case .rotatedBoxes: item.moveRotated(random.chance(0.5), random.integer(0...4), step)
      default: item.movePrediction(random.integer(0...prediction.count - 1), step)
      }
    }
    return item
  }

  /// The sides stay in this range, and centres within it of each other.
  private static var sides: ClosedRange<Double> { 0x1p-20...0x1p20 }

  private mutating func moveBox(_ ofTarget: Bool, _ k: Int, _ step: Double) {
    let box = ofTarget ? target : prediction
    var (w, h) = (box[2] - box[0], box[3] - box[1])
    var (x, y) = (box[0] + w / 2, box[1] + h / 2)
    switch k {
    case 0: x += step * Swift.max(w, 0x1p-20)
    case 1: y += step * Swift.max(h, 0x1p-20)
    case 2: w = Self.grown(w, step)
    default: h = Self.grown(h, step)
    }
    (x, y) = (Self.held(x), Self.held(y))
    let moved = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    if ofTarget { target = moved } else { prediction = moved }
  }

  /// Moves the prediction so that one of its edges is where the target's is.
  private mutating func alignEdges(_ k: Int) {
    let shift = target[k] - prediction[k]
    prediction[k % 2] += shift
    prediction[k % 2 + 2] += shift
  }

  private mutating func moveRotated(_ ofTarget: Bool, _ k: Int, _ step: Double) {
    var box = ofTarget ? target : prediction
    switch k {
    case 0, 1: box[k] = Self.held(box[k] + step * Swift.max(box[2], box[3]))
    case 2, 3: box[k] = Self.grown(box[k], step)
    default: box[k] += step
    }
    if ofTarget { target = box } else { prediction = box }
  }

  private mutating func movePrediction(_ k: Int, _ step: Double) {
    prediction[k] = Self.held(prediction[k] + step * Swift.max(prediction[k].magnitude, 0x1p-20))
  }

  private static func grown(_ side: Double, _ step: Double) -> Double {
    // 2^step, near enough.
    let factor = step < 0 ? 1 / (1 - step) : 1 + step
    return Swift.min(Swift.max(side * factor, sides.lowerBound), sides.upperBound)
  }

  private static func held(_ x: Double) -> Double {
    Swift.min(Swift.max(x, -sides.upperBound), sides.upperBound)
  }
}
