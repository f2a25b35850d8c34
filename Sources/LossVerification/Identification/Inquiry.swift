import Dispatch
import LossDefinitions

/// A program under questions, and the candidates that its answers leave.
struct Inquiry {
  /// An item with a number for its value; a gradient that is not finite is left out.
  struct Answered: Sendable {
    let item: Item
    let value: Double
    let gradient: [Double]?
  }

  let classes: [CandidateClass]
  /// The classes in the order of how many of the first answers they come near.
  private var ranking: [Int] = []
  let pool: Pool
  let rounding: Rounding
  let gradient: Bool
  private(set) var answered: [Answered] = []
  /// The places of the classes that contradict no answer, and of how many answers' values each says
  /// something.
  private(set) var standing: [Int]
  private var told: [Int: Int] = [:]
  /// The items whose value or gradient is not a number.
  private(set) var undefined: [Item] = []
  private(set) var rejected: [(item: Item, why: String)] = []
  private(set) var failed: [(item: Item, why: String)] = []
  private(set) var asked = 0

  init(_ classes: [CandidateClass], _ pool: Pool, _ rounding: Rounding, gradient: Bool) {
    self.classes = classes
    self.pool = pool
    self.rounding = rounding
    self.gradient = gradient
    standing = Array(classes.indices)
  }

  /// Asks, and drops the candidates that an answer contradicts; at first also those that are far off.
  mutating func ask<I: Implementation>(
    _ items: [Item], _ implementation: inout I
  ) throws {
    let first = answered.count
    asked += items.count
    for (item, answer) in zip(items, try implementation.evaluate(items, gradient: gradient)) {
      switch answer {
      case .rejected(let why): rejected.append((item, why))
      case .failed(let why): failed.append((item, why))
      case .numbers(let value, let gradient):
        let isFinite = gradient?.allSatisfy(\.isFinite) ?? true
        if value.isNaN || !isFinite { undefined.append(item) }
        guard !value.isNaN else { continue }
        answered.append(Answered(item: item, value: value, gradient: isFinite ? gradient : nil))
      }
    }
    let news = Array(answered[first...])
    if ranking.isEmpty { dropTheDistant() }
    let found = parallel(standing) { [self] place -> Int? in
      var told = 0
      // The last ones, of other sizes, tell most.
      for answer in news.reversed() {
        let judgement = judge(answer, place)
        if judgement.placement == .outside { return nil }
        if judgement.value.placement.isPassed { told += 1 }
      }
      return told
    }
    for (place, count) in zip(standing, found) { told[place, default: 0] += count ?? 0 }
    standing = zip(standing, found).compactMap { $1 == nil ? nil : $0 }
  }

  func judge(_ answer: Answered, _ place: Int) -> Judgement {
    classes[place].judge.judge(answer.item, answer.value, answer.gradient, rounding)
  }

  /// Drops candidates whose bands mostly say nothing.
  mutating func dropTheSilent() {
    standing = standing.filter { 4 * told[$0, default: 0] >= answered.count }
  }

  /// Keeps only the candidates that come near to most of what any comes near to, by their plain
  /// values in Double: of thousands the bands would take long.
  private mutating func dropTheDistant() {
    let share = nearness
    let answers = answered
    let near = parallel(Array(classes.indices)) { [classes] place in
      answers.count { classes[place].judge.isNear($0.item, $0.value, within: share) }
    }
    ranking = classes.indices.sorted { (near[$1], $0) < (near[$0], $1) }
    guard let best = near.max() else { return }
    let kept = Set(
      ranking.enumerated().filter { $0 < 32 || 5 * near[$1] >= 4 * best }.map(\.element))
    standing = standing.filter { kept.contains($0) }
  }

  /// What plain values may be off by.
  private var nearness: Double { Swift.min(0x1p-5, 0x1p7 * rounding.format.unit) }

  /// How many answers are inside a class's bands, and whether the others are near to the truth: as
  /// far off as `slack` ulps of it, or of 1.
  struct Score: Sendable {
    let place: Int
    var inside = 0
    var values = 0
    var isNear = true
  }

  /// What a less careful program of the same function is allowed, in ulps.
  static let slack = 16.0

  /// The classes that come nearest, best first.
  func nearest() -> [Score] {
    let share = nearness
    let few = Array(ranking.prefix(96))
    let near = parallel(few) { place in
      answered.prefix(24).count { answer in
        answer.gradient.map {
          classes[place].judge.isNear(answer.item, gradient: $0, within: share)
        } ?? true
      }
    }
    let best = few.indices.sorted { (near[$1], $0) < (near[$0], $1) }.prefix(12).map { few[$0] }
    return parallel(best) { score($0) }
      .sorted {
        ($1.isNear ? 1 : 0, $1.inside, $1.values, $0.place)
          < ($0.isNear ? 1 : 0, $0.inside, $0.values, $1.place)
      }
  }

  private func score(_ place: Int) -> Score {
    // Places have sizes of their own; elsewhere slopes are differences of numbers of up to 1.
    let isPlace = [Family.boxes, .rotatedBoxes, .keypoints].contains(pool.native.family)
    return answered.reduce(into: Score(place: place)) { score, answer in
      let judgement = judge(answer, place)
      if judgement.readings.allSatisfy({ $0.placement.isPassed }) { score.inside += 1 }
      if judgement.value.placement.isPassed { score.values += 1 }
      let truths = judgement.gradient.compactMap { $0.band?.truth.midpoint.hi.magnitude }
      let slope = truths.reduce(isPlace ? 0 : 1) { Swift.max($0, $1) }
      func isNear(_ reading: Reading, _ size: Double) -> Bool {
        guard reading.placement == .outside, let band = reading.band else {
          return reading.placement != .outside
        }
        let distance = (reading.got - band.truth.midpoint.hi).magnitude
        return distance <= Self.slack * 2 * rounding.format.unit * size
      }
      let size = Swift.max(1, judgement.value.band?.truth.midpoint.hi.magnitude ?? 1)
      score.isNear =
        score.isNear && isNear(judgement.value, size)
        && judgement.gradient.allSatisfy { isNear($0, slope) }
    }
  }

  // MARK: Telling apart

  /// How far apart two candidates are at an item, in what their bands allow: above 1 they are apart.
  struct Gap: Sendable {
    let places: (Int, Int)
    let item: Item
    /// 0 is the value, k + 1 the gradient's component k.
    let quantity: Int
    let share: Double
    let truths: (Double, Double)
  }

  /// Candidates and bands that a survey takes at most.
  private static let surveyed = (candidates: 40, bands: 400)

  /// Of many items those where the candidates' plain values and slopes differ most, and some others:
  /// what differs may still be within what rounding does.
  private func promising(_ items: [Item], _ places: [Int], _ most: Int) -> [Item] {
    guard items.count > most else { return items }
    let spreads = parallel(items) { item in
      let subjects = places.map { classes[$0].judge.subject }
      let values = subjects.map { $0.value(item) }
      let slopes = gradient ? subjects.map { $0.gradient(item) } : []
      func spread(_ numbers: [Double], of size: Double) -> Double {
        let least = numbers.min() ?? 0
        let width = (numbers.max() ?? 0) - least
        return width > 0 && size > 0 ? width / size : 0
      }
      var widest = spread(values, of: values.reduce(1) { Swift.max($0, $1.magnitude) })
      let largest = slopes.joined().reduce(0) { Swift.max($0, $1.magnitude) }
      for k in item.prediction.indices where !slopes.isEmpty {
        widest = Swift.max(widest, spread(slopes.map { $0[k] }, of: largest))
      }
      return widest
    }
    let order = items.indices.sorted { (spreads[$1], $0) < (spreads[$0], $1) }
    let best = order.prefix(2 * most / 3)
    let rest = Array(order.dropFirst(best.count))
    let step = Swift.max(1, rest.count / Swift.max(1, most - best.count))
    return (best + stride(from: 0, to: rest.count, by: step).map { rest[$0] }).map { items[$0] }
  }

  /// The largest gap at each item, and how many pairs of the standing it tells apart.
  func survey(_ items: [Item]) -> [(item: Item, apart: Int, gap: Gap?)] {
    let places = Array(standing.prefix(Self.surveyed.candidates))
    let most = Swift.max(12, Self.surveyed.bands / Swift.max(1, places.count))
    return parallel(promising(items, places, most)) { item in
      let bands = places.map { classes[$0].judge.bands(item, rounding) }
      var apart = 0
      var widest: Gap?
      for i in places.indices {
        for j in 0..<i {
          var isApart = false
          let numbers = gradient ? bands[i].count : 1
          for k in 0..<numbers {
            guard let a = bands[i][k], let b = bands[j][k] else { continue }
            let truths = (a.truth, b.truth)
            let (first, second) = (a.accurate, b.accurate)
            let allowed =
              (first.upperBound - first.lowerBound) / 2
              + (second.upperBound - second.lowerBound) / 2
            let distance = (truths.0 - truths.1).magnitude
            guard distance > 0 else { continue }
            isApart = isApart || !first.overlaps(second)
            let share = distance / allowed
            if share > widest?.share ?? 0 {
              widest = Gap(
                places: (places[i], places[j]), item: item, quantity: k, share: share,
                truths: truths)
            }
          }
          if isApart { apart += 1 }
        }
      }
      return (item, apart, widest)
    }
  }

  /// What a function gives for each, on all cores.
  private func parallel<Element: Sendable, Result: Sendable>(
    _ elements: [Element], _ transform: @Sendable (Element) -> Result
  ) -> [Result] {
    let results = Locked([Result?](repeating: nil, count: elements.count))
    withoutActuallyEscaping(transform) { transform in
      DispatchQueue.concurrentPerform(iterations: elements.count) { i in
        let result = transform(elements[i])
        results.update { $0[i] = result }
      }
    }
    return results.value.compactMap { $0 }
  }
}
