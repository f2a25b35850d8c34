extension YOLOv8Segmentation {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .agreesWithDetection({ $0.detection }, { $0.detection }),
    .noBackgroundGradient("boxes"),
    .noBackgroundGradient("mask_coefficient"),
    .invariant(under: "prototypes times 2, coefficients by 2") { _, scene in
      var moved = scene
      moved.heads[2] = scene.heads[2].map { $0 / 2 }
      moved.heads[3] = scene.heads[3].map { $0 * 2 }
      return moved
    },
    .invariant(under: "another order of the images") { _, scene in
      let images = scene.heads[0].shape[0]
      var masks = scene.truths.masks
      if case .overlapping(let maps) = masks {
        masks = .overlapping(Tensor.images(maps.images.reversed(), like: maps))
      }
      return scene.imagesReversed(
        Truths(scene.truths.detection.imagesReversed(images), masks))
    },
    .invariant(under: "overlapping masks as one map a truth") { _, scene in
      scene.truths.separated.map { Scene(scene.heads, $0) }
    },
    ObjectiveLaw("no gradient of prototypes outside the truths' boxes, exact crop") {
      objective, scene, answers in
      guard objective.crop == .exact else { return .holds }
      let decisions = objective.decide(scene.heads, scene.truths)
      let slopes = try answers.gradients(objective, scene)[3]
      let windows = objective.windows(scene.truths, decisions, slopes.shape)
      for b in 0..<slopes.shape[0] {
        let own = windows.filter { $0.image == b }
        for row in 0..<slopes.shape[2] {
          for column in 0..<slopes.shape[3]
          where !own.contains(where: { $0.rows ~= row && $0.columns ~= column }) {
            for k in 0..<slopes.shape[1] where slopes[b, k, row, column] != 0 {
              return .refuted("image \(b), channel \(k), row \(row), column \(column)")
            }
          }
        }
      }
      return .holds
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var rounded = Self()
    rounded.crop = .roundedBelow50
    return [Configuration("default", Self()), Configuration("rounded crop", rounded)]
      + YOLOv8.releases.map { label, detection in
        var objective = Self()
        objective.detection = detection
        return Configuration(label, objective)
      }
  }

  public static let strata = YOLOv8.familyStrata

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let plain = detection.sample(stratum, using: &random)
    let (images, anchors) = (plain.heads[0].shape[0], plain.heads[0].shape[2])
    let grid = plain.truths.grid
    let (height, width) = (Int(grid.imageHeight) / 4, Int(grid.imageWidth) / 4)
    let channels = random.integer(1...3)
    let reach = stratum == "saturated" ? 5.0 : 1.5
    func numbers(_ shape: [Int]) -> Tensor {
      Tensor(zeros: shape).map { _ in Double(Float(random.uniform(-reach, reach))) }
    }
    let coefficients = numbers([images, channels, anchors])
    let prototypes = numbers([images, channels, height, width])
    let rows = plain.truths.rows
    let masks: Masks
    if random.chance(0.5) {
      var maps = Tensor(zeros: [images, height, width])
      for i in maps.data.indices {
        let image = i / (height * width)
        maps.data[i] = Double(random.integer(0...rows.count { $0.image == image }))
      }
      masks = .overlapping(maps)
    } else {
      masks = .separate(
        Tensor(zeros: [rows.count, height, width]).map { _ in random.chance(0.5) ? 1 : 0 })
    }
    return Scene(plain.heads + [coefficients, prototypes], Truths(plain.truths, masks))
  }
}

extension YOLOv8Segmentation.Truths {
  /// One map a truth; nil where that is so already.
  var separated: Self? {
    guard case .overlapping(let maps) = masks else { return nil }
    let each = maps.shape[1] * maps.shape[2]
    var counts: [Int: Int] = [:]
    let data = detection.rows.flatMap { row -> [Double] in
      counts[row.image, default: 0] += 1
      let mark = Double(counts[row.image] ?? 0)
      return maps.data[row.image * each..<(row.image + 1) * each].map { $0 == mark ? 1 : 0 }
    }
    return Self(
      detection, .separate(Tensor([detection.rows.count] + maps.shape.dropFirst(), data)))
  }
}
