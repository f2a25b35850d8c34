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
  /// The places of the classes that contradict no answer.
  private(set) var standing: [Int]
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
    standing = keeping { inquiry, place in
      news.allSatisfy { inquiry.judge($0, place).placement != .outside }
    }
  }

  /// The standing candidates of which that is so.
  private func keeping(_ isKept: @Sendable (Inquiry, Int) -> Bool) -> [Int] {
    let kept = parallel(standing) { isKept(self, $0) }
    return zip(standing, kept).compactMap { $1 ? $0 : nil }
  }

  func judge(_ answer: Answered, _ place: Int) -> Judgement {
    classes[place].judge.judge(answer.item, answer.value, answer.gradient, rounding)
  }

  /// Drops candidates of whose numbers the bands mostly say nothing.
  mutating func dropTheSilent() {
    standing = keeping { inquiry, place in
      let told = inquiry.answered.count { inquiry.judge($0, place).value.placement.isPassed }
      return 4 * told >= inquiry.answered.count
    }
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
  private var nearness: Double { Swift.min(0x1p-5, 0x1p10 * rounding.format.unit) }

  /// The class that most answers agree with; where several do, whose values more agree with.
  func nearest() -> (place: Int, inside: Int)? {
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
    let scores = parallel(best) { place in
      let judgements = answered.map { judge($0, place) }
      return (
        place: place,
        inside: judgements.count { $0.readings.allSatisfy { $0.placement.isPassed } },
        values: judgements.count { $0.value.placement.isPassed }
      )
    }
    return scores.max { ($0.inside, $0.values, $1.place) < ($1.inside, $1.values, $0.place) }
      .map { ($0.place, $0.inside) }
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
  private static let surveyed = (candidates: 40, bands: 1200)

  /// The largest gap at each item, and how many pairs of the standing it tells apart.
  func survey(_ items: [Item]) -> [(item: Item, apart: Int, gap: Gap?)] {
    let places = Array(standing.prefix(Self.surveyed.candidates))
    let most = Swift.max(12, Self.surveyed.bands / Swift.max(1, places.count))
    // Of too many, every so manieth.
    let step = Swift.max(1, (items.count + most - 1) / most)
    return parallel(stride(from: 0, to: items.count, by: step).map { items[$0] }) { item in
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
