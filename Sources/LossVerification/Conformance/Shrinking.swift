import LossDefinitions

/// Makes an item simpler as long as it shows the same.
struct Shrinking {
  let format: Format
  let targetIsIndex: Bool
  let family: Family

  init(_ subject: Subject) {
    format = subject.format
    targetIsIndex = subject.targetIsIndex
    family = subject.family
  }

  /// Bits that it takes to write an item's numbers: of a number m 2^e with odd m, those of m and of e.
  static func complexity(_ item: Item) -> Int {
    (item.prediction + item.target).reduce(0) { $0 + complexity($1) }
  }

  private static func complexity(_ x: Double) -> Int {
    guard x.isFinite, x != 0 else { return 0 }
    let significand = x.significandBitPattern
    let bits = significand == 0 ? 1 : 53 - significand.trailingZeroBitCount
    let exponent = Int(x.exponent) - bits + 1
    return bits + (Int.bitWidth - exponent.magnitude.leadingZeroBitCount)
  }

  /// The simplest item found; `fails` tells of each item whether it shows the same failure.
  func shrink(_ item: Item, fails: ([Item]) throws -> [Bool]) rethrows -> Item {
    var best = item
    for _ in 0..<40 {
      let size = Self.complexity(best)
      let simpler = candidates(best)
        .map { ($0, Self.complexity($0)) }
        .filter { $0.1 < size }
        .sorted { $0.1 < $1.1 }
        .map(\.0)
      var next: Item?
      for first in stride(from: 0, to: simpler.count, by: 64) where next == nil {
        let some = Array(simpler[first..<Swift.min(first + 64, simpler.count)])
        let failing = try fails(some)
        next = zip(some, failing).first { $1 }?.0
      }
      guard let next else { break }
      best = next
    }
    return best
  }

  private func candidates(_ item: Item) -> [Item] {
    var found: [Item] = []
    func offer(_ prediction: [Double], _ target: [Double]) {
      let candidate = Item(prediction, targetIsIndex ? item.target : target)
        .rounded(to: format, targetIsIndex: targetIsIndex)
      if candidate != item, isLike(candidate, item) { found.append(candidate) }
    }
    func offerAll(_ f: (Double) -> Double) {
      offer(item.prediction.map(f), item.target.map(f))
    }
    let all = item.prediction + (targetIsIndex ? [] : item.target)
    for bits in 1...12 { offerAll { Self.shortened($0, to: bits) } }
    offerAll { $0.rounded() }
    if family == .boxes, all.count == 8 {
      for step in [1, 0.5, 2] {
        let ranks = Self.ranked(all, step)
        offer(Array(ranks[..<4]), Array(ranks[4...]))
      }
    }
    let least = all.min() ?? 0
    offerAll { $0 - least }
    for exponent in [-8, -4, -2, -1, 1, 2, 4, 8] {
      offerAll { $0 * Double(sign: .plus, exponent: exponent, significand: 1) }
    }
    for i in all.indices {
      let n = item.prediction.count
      let partner = i < n ? i : i - n
      var others = [0, 1, 2, 4, 0.5, all[i].rounded(), all[i] / 2, all[i] / 4, all[i] / 16]
      if item.target.count == n, !targetIsIndex {
        others.append(i < n ? item.target[partner] : item.prediction[partner])
      }
      for bits in [1, 2, 3, 4, 6, 8, 12, 16] { others.append(Self.shortened(all[i], to: bits)) }
      for value in others {
        var (p, t) = (item.prediction, item.target)
        if i < n { p[i] = value } else { t[i - n] = value }
        offer(p, t)
      }
    }
    return found
  }

  /// Every corner replaced by its place among the corners of both boxes along its axis.
  private static func ranked(_ corners: [Double], _ step: Double) -> [Double] {
    corners.indices.map { i in
      let axis = stride(from: i % 2, to: corners.count, by: 2).map { corners[$0] }
      return step * Double(Set(axis.filter { $0 < corners[i] }).count)
    }
  }

  /// Whether an item is in the domain as the original is: a box keeps its corners' order and stays one
  /// that has an inside; other numbers keep their order and their signs, and do not outgrow the largest.
  private func isLike(_ item: Item, _ original: Item) -> Bool {
    func areBoxes(_ x: [Double], _ y: [Double]) -> Bool {
      x.indices.allSatisfy { i in
        guard i % 4 < 2, i + 2 < x.count else { return x[i].isFinite }
        return x[i].isFinite && x[i] <= x[i + 2] && (x[i] < x[i + 2]) == (y[i] < y[i + 2])
      }
    }
    func alike(_ x: [Double], _ y: [Double]) -> Bool {
      if family == .boxes { return areBoxes(x, y) }
      let largest = y.reduce(0) { Swift.max($0, $1.magnitude) }.rounded(.up)
      for i in x.indices {
        guard x[i].isFinite, x[i] == 0 || (x[i] < 0) == (y[i] < 0), x[i].magnitude <= largest
        else { return false }
        if y.allSatisfy({ 0 <= $0 && $0 <= 1 }), x[i] > 1 { return false }
        for j in 0..<i where (x[j] < x[i]) != (y[j] < y[i]) || (x[i] < x[j]) != (y[i] < y[j]) {
          return false
        }
      }
      return true
    }
    return alike(item.prediction, original.prediction) && alike(item.target, original.target)
  }

  /// The number with a significand of that many bits.
  private static func shortened(_ x: Double, to bits: Int) -> Double {
    guard x.isFinite, x != 0 else { return x }
    let step = x.ulp * Double(UInt64(1) << UInt64(53 - bits))
    return (x / step).rounded() * step
  }
}
