import LossDefinitions

/// Items to ask: those of a loss's strata, and the same at other sizes, where an epsilon shows.
struct Pool {
  let native: Subject

  /// Exponents of 2 that sizes are multiplied by; areas by twice as many.
  private static let exponents = [-6, -10, -13, -16, -20, -24, -30]
  /// Wider items tell no more, and take longer.
  private static let widest = 256

  /// A few items of each stratum, and one of each size.
  func opening(_ seed: UInt64) -> [Item] {
    let strata = native.strata
    let sizes = Self.exponents.enumerated().flatMap { k, exponent in
      scaled(native.items(strata[k % strata.count], 1, seed &+ 1), exponent)
    }
    return narrow(strata.flatMap { native.items($0, 2, seed) } + sizes)
  }

  /// Items of all strata, `count` in all or a little more.
  func strata(_ count: Int, _ seed: UInt64) -> [Item] {
    let each = (count + native.strata.count - 1) / native.strata.count
    return narrow(native.strata.flatMap { native.items($0, each, seed) })
  }

  /// Items that may tell the subjects apart: their own, whose places depend on their settings, and
  /// those of all sizes.
  func fresh(_ subjects: [Subject], _ seed: UInt64) -> [Item] {
    let own = ([native] + subjects.prefix(4)).flatMap { subject in
      subject.strata.flatMap { subject.items($0, 3, seed) }
    }
    let sizes = Self.exponents.flatMap { exponent in
      native.strata.flatMap { scaled(native.items($0, 1, seed &+ 1), exponent) }
    }
    return narrow(own + sizes)
  }

  /// Items near to one: at other sizes, and with the prediction nearer to the target.
  func near(_ item: Item) -> [Item] {
    var found = [-4, -2, -1, 1, 2, 4].flatMap { scaled([item], $0) }
    if !native.targetIsIndex, item.prediction.count == item.target.count {
      for share in [0.5, 0.1, 0.01, 1e-3, 1e-5] {
        let prediction = zip(item.prediction, item.target).map { $1 + share * ($0 - $1) }
        found.append(Item(prediction, item.target).rounded(to: native.format))
      }
    }
    return found
  }

  private func narrow(_ items: [Item]) -> [Item] {
    let few = items.filter { $0.prediction.count <= Self.widest }
    return few.isEmpty ? items : few
  }

  /// Items whose sizes are multiplied by a power of two, where that leaves them in the domain.
  private func scaled(_ items: [Item], _ exponent: Int) -> [Item] {
    let factor = Double(sign: .plus, exponent: exponent, significand: 1)
    func scaled(_ item: Item) -> Item? {
      var item = item
      switch native.family {
      case .boxes, .elements, .regions:
        item.prediction = item.prediction.map { $0 * factor }
        item.target = item.target.map { $0 * factor }
      case .rotatedBoxes:
        for i in item.prediction.indices where i % 5 < 4 { item.prediction[i] *= factor }
        for i in item.target.indices where i % 5 < 4 { item.target[i] *= factor }
      case .classes: item.prediction = item.prediction.map { $0 * factor }
      default: return nil
      }
      // Shares of a whole stay at most 1.
      let isShare = native.family == .regions || native.family == .elements
      if exponent > 0, isShare, (item.prediction + item.target).contains(where: { $0 > 1 }) {
        return nil
      }
      item = item.rounded(to: native.format, targetIsIndex: native.targetIsIndex)
      let isFinite = (item.prediction + item.target).allSatisfy(\.isFinite)
      return isFinite && areasHaveSquares(item) ? item : nil
    }
    return items.compactMap(scaled)
  }

  /// Whether no box is so small that the square of an area, which slopes are divided by, is subnormal.
  private func areasHaveSquares(_ item: Item) -> Bool {
    guard native.family == .boxes else { return true }
    return [item.prediction, item.target].allSatisfy { corners in
      [0, 1].allSatisfy { i in
        let side = corners[i + 2] - corners[i]
        return side == 0 || side * side * side * side > 0x1p10 * native.format.leastNormal
      }
    }
  }
}
