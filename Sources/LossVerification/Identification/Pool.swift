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
    return narrow(own) + sizes(seed &+ 1)
  }

  /// Two items of each stratum in each size.
  func sizes(_ seed: UInt64) -> [Item] {
    narrow(
      Self.exponents.flatMap { exponent in
        native.strata.flatMap { scaled(native.items($0, 2, seed), exponent) }
      })
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

  /// Items whose sizes are multiplied by a power of two, where that leaves them in the domain; of
  /// elements also with the target left as it is.
  private func scaled(_ items: [Item], _ exponent: Int) -> [Item] {
    let factor = Double(sign: .plus, exponent: exponent, significand: 1)
    func scaled(_ numbers: [Double]) -> [Double] { numbers.map { $0 * factor } }
    /// Of centre, sides and angle.
    func turned(_ numbers: [Double]) -> [Double] {
      numbers.enumerated().map { $0 % 5 < 4 ? $1 * factor : $1 }
    }
    let found = items.flatMap { item -> [Item] in
      let (p, t) = (item.prediction, item.target)
      switch native.family {
      case .boxes, .regions: return [Item(scaled(p), scaled(t))]
      case .elements: return [Item(scaled(p), scaled(t)), Item(scaled(p), t)]
      case .rotatedBoxes: return [Item(turned(p), turned(t))]
      case .classes: return [Item(scaled(p), t)]
      default: return []
      }
    }
    return found.map { $0.rounded(to: native.format, targetIsIndex: native.targetIsIndex) }
      .filter { isSound($0, grown: exponent > 0) }
  }

  private func isSound(_ item: Item, grown: Bool) -> Bool {
    let numbers = item.prediction + item.target
    guard numbers.allSatisfy(\.isFinite) else { return false }
    switch native.family {
    case .regions, .elements:
      // Shares of a whole stay at most 1.
      return !grown || numbers.allSatisfy { $0 <= 1 }
    case .boxes:
      // Programs may divide by the square of an area.
      for box in [item.prediction, item.target] {
        for side in [box[2] - box[0], box[3] - box[1]] where side > 0 {
          let area = side * side
          if area * area < 0x1p10 * native.format.leastNormal { return false }
        }
      }
      return true
    default: return true
    }
  }
}
