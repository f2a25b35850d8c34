extension Item {
  /// The item with its numbers on a grid of 2^-12 of the largest, so that shifts and sums of few of
  /// them are exact in any precision; and the grid. Sides stay at least one step.
  fileprivate var onGrid: (item: Item, grid: Double)? {
    let largest = (prediction + target).map(\.magnitude).max() ?? 0
    guard largest.isNormal else { return nil }
    let grid = Double(sign: .plus, exponent: largest.exponent - 12, significand: 1)
    let moved = mapped { box in
      box.indices.map { k in
        let steps = (box[k] / grid).rounded()
        return grid * (k == 2 || k == 3 ? Swift.max(1, steps) : steps)
      }
    }
    return (moved, grid)
  }

  fileprivate func mapped(_ change: ([Double]) -> [Double]) -> Item {
    Item(change(prediction), change(target))
  }
}

extension Law where L == ProbIoU {
  /// A statement about the paper's loss: no epsilon, no floor, no aspect term.
  static func plain(_ law: Self) -> Self {
    law.restricted("\(law.statement), without epsilon and floor") { loss in
      loss.epsilon == 0 && loss.floor == 0 && !loss.addsAspect && loss.most == 100
    }
  }

  /// L ≤ √(1 + ε), and at most 1 more with the aspect term.
  static var atMostOne: Self {
    .inequality("L ≤ √(1 + ε) in Hellinger's form, with the aspect term 1 more") {
      loss, item, values in
      guard loss.form == .hellinger else { return [] }
      let bound = (1 + loss.epsilon).squareRoot().nextUp + (loss.addsAspect ? 1 : 0)
      return [(Interval(bound), values.value(loss, item))]
    }
  }

  /// −ln(1 − H²) ≥ H².
  static var distanceAboveItsSquare: Self {
    .plain(
      .inequality("Bhattacharyya's form ≥ the square of Hellinger's") { loss, item, values in
        guard loss.form == .bhattacharyya else { return [] }
        var hellinger = loss
        hellinger.form = .hellinger
        return [(values.loose(loss, item), .square(values.loose(hellinger, item)))]
      })
  }
}

extension Law where L: RotatedBoxLoss {
  /// A law in a part of the loss's settings.
  static func `where`(
    _ words: String, _ law: Self, _ holds: @escaping @Sendable (L) -> Bool
  ) -> Self {
    law.restricted("\(law.statement), \(words)", where: holds)
  }

  static var translated: Self {
    Law("unchanged under translation") { loss, item, values in
      guard let (there, grid) = item.onGrid else { return .holds }
      let moved = there.mapped { [$0[0] + 4099 * grid, $0[1] - 8195 * grid] + $0[2...] }
      return .equal(values.loose(loss, there), values.loose(loss, moved))
    }
  }

  static var scaled: Self {
    .invariant(under: "scaling by a power of two") {
      $0.mapped { $0[..<4].map { 4 * $0 } + [$0[4]] }
    }
  }

  static var mirrored: Self {
    .invariant(under: "reflection") {
      $0.mapped { [-$0[0], $0[1], $0[2], $0[3], -$0[4]] }
    }
  }

  /// (x, y, w, h, θ) ↦ (y, x, h, w, −θ).
  static var axesExchanged: Self {
    .invariant(under: "exchange of the axes") {
      $0.mapped { [$0[1], $0[0], $0[3], $0[2], -$0[4]] }
    }
  }

  /// (x, y, w, h, θ) ↦ (−y, x, h, w, θ): both boxes turned by a right angle, under their other names.
  static var quarterTurned: Self {
    .invariant(under: "a quarter turn of both boxes") {
      $0.mapped { [-$0[1], $0[0], $0[3], $0[2], $0[4]] }
    }
  }

  /// Boxes about one centre, both turned by a multiple of the grid.
  static var turnedAboutOneCentre: Self {
    Law("unchanged when boxes about one centre turn together") { loss, item, values in
      var angles = item
      for k in 0..<4 where k < 2 { angles.prediction[k] = item.target[k] }
      let (p, t) = (angles.prediction[4], angles.target[4])
      let grid = 0x1p-16
      angles.prediction[4] = (p / grid).rounded() * grid
      angles.target[4] = (t / grid).rounded() * grid
      var moved = angles
      moved.prediction[4] += 0.625
      moved.target[4] += 0.625
      return .equal(values.loose(loss, angles), values.loose(loss, moved))
    }
  }

  static var blindToSquares: Self {
    Law("unchanged when a square turns about its centre") { loss, item, values in
      var square = item
      square.prediction[3] = square.prediction[2]
      var turned = square
      turned.prediction[4] = 0.375
      return .equal(values.loose(loss, square), values.loose(loss, turned))
    }
  }

  /// d(p, t) ≤ d(p, r) + d(r, t), with a box of the mean numbers as the third.
  static var triangle: Self {
    .inequality("L(x, t) ≤ L(x, r) + L(r, t)") { loss, item, values in
      let third = zip(item.prediction, item.target).map { Double(Float(0.5 * ($0 + $1))) }
      let detour =
        values.loose(loss, Item(item.prediction, third))
        + values.loose(loss, Item(third, item.target))
      return [(detour, values.loose(loss, item))]
    }
  }
}

extension Law where L == RotatedIoU {
  /// With both angles 0 it is IoU, of corners that the centres and sides give exactly.
  static var alignedIoU: Self {
    .agrees("IoU's loss where both angles are 0", with: IoU.self) { loss, item in
      guard let (there, grid) = item.onGrid else { return nil }
      func even(_ box: [Double]) -> [Double] {
        box[..<2] + box[2..<4].map { 2 * grid * Swift.max(1, ($0 / (2 * grid)).rounded()) } + [0]
      }
      func corners(_ box: [Double]) -> [Double] {
        [
          box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2,
        ]
      }
      let (p, t) = (even(there.prediction), even(there.target))
      // The item of this loss, and that of the other.
      let form = loss.form == .linear ? IoU.Form.linear : .logarithmic
      return (IoU(form, floor: loss.floor), Item(p, t), Item(corners(p), corners(t)))
    }
  }
}
