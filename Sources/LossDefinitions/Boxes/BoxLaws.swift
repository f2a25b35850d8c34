extension BoxLoss {
  /// Whether every epsilon and floor is 0, and other numbers their default: the papers' loss.
  var isPlain: Bool {
    let plain = Self()
    return Self.hyperparameters.allSatisfy { self[keyPath: $0.path] == plain[keyPath: $0.path] }
  }
}

extension Item {
  /// The item with its corners on a grid of 2^-12 of the largest, so that shifts and reflections by
  /// multiples of the grid are exact in any precision; and the grid.
  fileprivate var onGrid: (item: Item, grid: Double)? {
    let largest = (prediction + target).map(\.magnitude).max() ?? 0
    guard largest.isNormal else { return nil }
    let grid = Double(sign: .plus, exponent: largest.exponent - 12, significand: 1)
    func rounded(_ x: [Double]) -> [Double] { x.map { ($0 / grid).rounded() * grid } }
    return (Item(rounded(prediction), rounded(target)), grid)
  }

  fileprivate func mapped(_ change: ([Double]) -> [Double]) -> Item {
    Item(change(prediction), change(target))
  }

  fileprivate var enclosing: [Double] {
    let (p, t) = (prediction, target)
    return [
      Swift.min(p[0], t[0]), Swift.min(p[1], t[1]), Swift.max(p[2], t[2]), Swift.max(p[3], t[3]),
    ]
  }
}

extension Law where L: BoxLoss {
  /// A statement about the plain loss, without epsilons.
  static func plain(_ law: Self) -> Self {
    law.restricted("\(law.statement), without epsilon") { $0.isPlain }
  }

  /// A law in a part of the loss's settings.
  static func `where`(
    _ words: String, _ law: Self, _ holds: @escaping @Sendable (L) -> Bool
  ) -> Self {
    law.restricted("\(law.statement), \(words)", where: holds)
  }

  /// Both boxes shifted by a multiple of the grid that they lie on.
  static var translated: Self {
    Law("unchanged under translation") { loss, item, values in
      guard let (there, grid) = item.onGrid else { return .holds }
      let moved = there.mapped { x in
        [x[0] + 4099 * grid, x[1] - 8195 * grid, x[2] + 4099 * grid, x[3] - 8195 * grid]
      }
      return .equal(values.loose(loss, there), values.loose(loss, moved))
    }
  }

  static var scaled: Self {
    .plain(.invariant(under: "scaling by a power of two") { $0.mapped { $0.map { 4 * $0 } } })
  }

  static var scaledPerAxis: Self {
    .plain(
      .invariant(under: "scaling of one axis by a power of two") {
        $0.mapped { [4 * $0[0], $0[1], 4 * $0[2], $0[3]] }
      })
  }

  static var mirrored: Self {
    .invariant(under: "reflection") { $0.mapped { [-$0[2], $0[1], -$0[0], $0[3]] } }
  }

  static var swapped: Self {
    .plain(
      .invariant(under: "exchange of the axes") { $0.mapped { [$0[1], $0[0], $0[3], $0[2]] } })
  }

  /// Twice as far from the target's centre, along the same ray.
  static var farther: Self {
    .inequality("L does not fall as the centres part along a ray") { loss, item, values in
      guard let (there, _) = item.onGrid else { return [] }
      let (p, t) = (there.prediction, there.target)
      let dx = (p[0] + p[2] - t[0] - t[2]) / 2
      let dy = (p[1] + p[3] - t[1] - t[3]) / 2
      let far = Item([p[0] + dx, p[1] + dy, p[2] + dx, p[3] + dy], t)
      return [(values.loose(loss, far), values.loose(loss, there))]
    }
  }

  /// d(p, t) ≤ d(p, r) + d(r, t), with the enclosing box as the third.
  static var triangle: Self {
    .inequality("L(x, t) ≤ L(x, r) + L(r, t)") { loss, item, values in
      let third = item.enclosing
      let detour =
        values.loose(loss, Item(item.prediction, third))
        + values.loose(loss, Item(third, item.target))
      return [(detour, values.loose(loss, item))]
    }
  }

  /// Another loss's value, both at an item made of this one.
  private static func coincides<M: BoxLoss>(
    _ statement: String, _ other: @escaping @Sendable (L) -> M,
    at place: @escaping @Sendable (Item) -> Item?
  ) -> Self {
    Law(statement) { loss, item, values in
      guard let there = place(item) else { return .holds }
      return .equal(values.loose(loss, there), values.loose(other(loss), there))
    }
  }

  /// Another loss's value where the target encloses the prediction.
  static func nested<M: BoxLoss>(
    _ statement: String, _ other: @escaping @Sendable (L) -> M
  ) -> Self {
    coincides(statement, other) { Item($0.prediction, $0.enclosing) }
  }

  /// Another loss's value where the centres coincide.
  static func concentric<M: BoxLoss>(
    _ statement: String, _ other: @escaping @Sendable (L) -> M
  ) -> Self {
    coincides(statement, other) { item in
      guard let (there, grid) = item.onGrid else { return nil }
      let p = there.prediction
      let target = [p[0] - 5 * grid, p[1] + grid, p[2] + 5 * grid, p[3] - grid]
      guard target[1] < target[3] else { return nil }
      return Item(p, target)
    }
  }

  /// Another loss's value where the target has the prediction's shape.
  static func similar<M: BoxLoss>(
    _ statement: String, _ other: @escaping @Sendable (L) -> M
  ) -> Self {
    coincides(statement, other) { Item($0.prediction, $0.prediction.map { 2 * $0 }) }
  }
}
