extension YOLOv8OBB {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .noBackgroundGradient("boxes"),
    .noBackgroundGradient("angle"),
    .bounded("box", "B g_box √(1 + 1e-7)") {
      $0.detection.factor($1) * $0.detection.boxGain * (1 + 1e-7).squareRoot()
    },
    .bounded("angle", "B g_angle") { $0.detection.factor($1) * ($0.angleGain ?? 0) },
    .invariant(under: "another order of the images") { _, scene in
      let images = scene.heads[0].shape[0]
      var truths = scene.truths
      for i in truths.rows.indices { truths.rows[i].image = images - 1 - truths.rows[i].image }
      return scene.imagesReversed(truths)
    },
    ObjectiveLaw("unchanged under reflection, left and right exchanged") {
      objective, scene, answers in
      // With every row; and on a grid, where 1 − x is exact.
      guard objective.detection.validity == .presence else { return .holds }
      let here = scene.onGrid
      return .equal(
        try answers.total(objective, here), try answers.total(objective, here.mirrored))
    },
    .invariant(under: "truths of less than 2 pixels added") { _, scene in
      var moved = scene
      let (W, H) = (scene.truths.grid.imageWidth, scene.truths.grid.imageHeight)
      let speck = RotatedBox(x: 0.5, y: 0.5, w: 1.875 / max(W, H), h: 1.875 / max(W, H), θ: 0.5)
      moved.truths.rows.append(Row(image: 0, label: 0, box: speck))
      return moved
    },
    ObjectiveLaw("a side's gradient sums to 0 over its bins") { objective, scene, answers in
      let slopes = try answers.gradients(objective, scene)[0]
      let bins = slopes.shape[1] / 4
      guard bins > 1 else { return .holds }
      let scale = slopes.data.reduce(0) { max($0, $1.magnitude) }
      for b in 0..<slopes.shape[0] {
        for a in 0..<slopes.shape[2] {
          for side in 0..<4 {
            let sum = (0..<bins).reduce(0.0) { $0 + slopes[b, side * bins + $1, a] }
            guard sum.magnitude <= 0x1p-18 * scale else {
              return .refuted("image \(b), anchor \(a), side \(side): \(sum)")
            }
          }
        }
      }
      return .holds
    },
  ]

  /// The rules of the releases before 8.4.0.
  public static var classic: Self {
    var objective = Self()
    objective.detection.smallTruths = .none
    objective.angleGain = nil
    objective.varianceFloor = 0
    objective.distances = .upright
    return objective
  }

  public static var configurations: [Configuration<Self>] {
    var middle = Self()
    middle.detection.smallTruths = .firstStride
    middle.varianceFloor = 0
    var every = Self()
    every.detection.validity = .presence
    return [
      Configuration("default", Self()), Configuration("8.4.0 to 8.4.80", middle),
      Configuration("before 8.4.0", classic), Configuration("every row takes part", every),
    ]
  }

  public static let strata = YOLOv8.familyStrata

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let plain = detection.sample(stratum, using: &random)
    let (images, anchors) = (plain.heads[0].shape[0], plain.heads[0].shape[2])
    let angles = Tensor(zeros: [images, 1, anchors]).map { _ in
      Double(Float(random.uniform(-0.25 * .pi, 0.75 * .pi)))
    }
    var last: (YOLOv8.Row, Double)?
    let rows = plain.truths.rows.map { row in
      var θ = random.uniform(-0.25 * .pi, 0.75 * .pi)
      // A truth that is there twice is so with its angle.
      if let last, last.0.x == row.x, last.0.y == row.y, last.0.image == row.image { θ = last.1 }
      last = (row, θ)
      return Row(
        image: row.image, label: row.label,
        box: RotatedBox(x: row.x, y: row.y, w: row.width, h: row.height, θ: θ))
    }
    return Scene(plain.heads + [angles], Truths(plain.truths.grid, rows))
  }
}

extension Scene where Truths == YOLOv8OBB.Truths {
  /// Truths at multiples of 1/1024 of the image's sides.
  fileprivate var onGrid: Self {
    var moved = self
    for i in truths.rows.indices {
      let box = truths.rows[i].box.scaled(1024)
      moved.truths.rows[i].box = RotatedBox(
        x: box.x.rounded() / 1024, y: box.y.rounded() / 1024, w: box.w.rounded() / 1024,
        h: box.h.rounded() / 1024, θ: box.θ)
    }
    return moved
  }

  /// Left and right exchanged: columns of the maps, sides l and r, and the signs of the angles.
  fileprivate var mirrored: Self {
    var moved = self
    let (images, channels) = (heads[0].shape[0], heads[0].shape[1])
    let bins = channels / 4
    for level in truths.grid.levels {
      for row in 0..<level.height {
        for column in 0..<level.width {
          let from = level.first + row * level.width + column
          let to = level.first + row * level.width + (level.width - 1 - column)
          for b in 0..<images {
            for k in 0..<channels {
              let side = [2, 1, 0, 3][k / bins]
              moved.heads[0].data[heads[0].index(b, side * bins + k % bins, to)] =
                heads[0][b, k, from]
            }
            for c in 0..<heads[1].shape[1] {
              moved.heads[1].data[heads[1].index(b, c, to)] = heads[1][b, c, from]
            }
            moved.heads[2].data[heads[2].index(b, 0, to)] = -heads[2][b, 0, from]
          }
        }
      }
    }
    for i in truths.rows.indices {
      moved.truths.rows[i].box.x = 1 - truths.rows[i].box.x
      moved.truths.rows[i].box.θ = -truths.rows[i].box.θ
    }
    return moved
  }
}
