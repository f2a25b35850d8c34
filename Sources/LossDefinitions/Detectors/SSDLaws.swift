extension SSD {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of the images") { _, scene in scene.withReversedImages },
    .invariant(under: "another order of an image's truths, no prior best for two") {
      objective, scene in
      objective.isOrderFree(scene) ? scene.withTruthsReversed : nil
    },
    ObjectiveLaw("at most `ratio` negatives for each positive") { objective, scene, _ in
      let decisions = objective.decide(scene.heads, scene.truths)
      for (matches, uses) in zip(decisions.matches, decisions.uses) {
        let positives = matches.count { $0 >= 0 }
        let negatives = zip(matches, uses).count { $0 < 0 && $1 > 0 }
        if negatives > objective.mining.ratio * positives {
          return .refuted("\(negatives) negatives for \(positives) positives")
        }
      }
      return .holds
    },
    ObjectiveLaw("no gradient in the deltas of negatives, none at all in negatives not mined") {
      objective, scene, answers in
      let decisions = objective.decide(scene.heads, scene.truths)
      let gradients = try answers.gradients(objective, scene)
      for (row, match) in decisions.matches.joined().enumerated() where match < 0 {
        guard gradients[0].row(row).allSatisfy({ $0 == 0 }) else {
          return .refuted("prior \(row) is negative, and its deltas have a gradient")
        }
      }
      for (row, uses) in decisions.uses.joined().enumerated() where uses == 0 {
        guard gradients[1].row(row).allSatisfy({ $0 == 0 }) else {
          return .refuted("prior \(row) does not count, and its logits have a gradient")
        }
      }
      return .holds
    },
    ObjectiveLaw("localization is 0 where every positive prior is its truth and its deltas are 0") {
      objective, scene, answers in
      let matches = objective.decide(scene.heads, scene.truths).matches
      let perfect = Scene(
        [scene.heads[0].map { _ in 0 }, scene.heads[1]],
        zip(scene.truths, matches).map { image, matches in
          let anchors = zip(image.anchors, matches).map { anchor, match in
            match >= 0 ? image.truths.boxes[match] : anchor
          }
          return AnchoredImage(anchors, image.truths, matches: matches)
        })
      return .equal(try answers.terms(objective, perfect)[0], 0)
    },
    ObjectiveLaw("without truths both terms are 0") { objective, scene, answers in
      var bare = scene
      bare.truths = scene.truths.map { AnchoredImage($0.anchors, ImageTruths()) }
      for term in try answers.terms(objective, bare) {
        let verdict = Verdict.equal(term, 0)
        if verdict != .holds { return verdict }
      }
      return .holds
    },
  ]

  /// Whether no image has a prior that is the best of two truths, or ties.
  private func isOrderFree(_ scene: Scene<[AnchoredImage]>) -> Bool {
    scene.truths.allSatisfy { image in
      if image.hasTies { return false }
      let best = image.overlaps.map { row in row.indices.max { row[$0] < row[$1] } }
      return Set(best).count == best.count
        && image.overlaps.allSatisfy { row in (row.max() ?? 0) > 0 }
    }
  }

  public static let ssdPytorch = Self()

  public static var torchvision: Self {
    var objective = Self()
    objective.mining = HardNegativeMining(.last)
    return objective
  }

  public static var mmdetection: Self {
    var objective = Self()
    objective.mining = HardNegativeMining(.excluded)
    objective.normalizer = .eachImage(epsilon: 0x1p-23)
    return objective
  }

  public static var configurations: [Configuration<Self>] {
    var sharp = Self.torchvision
    sharp.beta = 0
    sharp.mining.ratio = 1
    return [
      Configuration("ssd.pytorch", ssdPytorch),
      Configuration("torchvision", torchvision),
      Configuration("mmdetection", mmdetection),
      Configuration("beta = 0, ratio = 1", sharp),
    ]
  }

  // MARK: - Scenes

  public static let strata = AnchoredImage.strata

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<[AnchoredImage]> {
    let truths = (0..<random.integer(1...3)).map { i in
      var image = AnchoredImage.sample(stratum, image: i, using: &random)
      image.matches = image.matches?.map { max($0, AnchoredImage.background) }
      return image
    }
    let (images, priors) = (truths.count, AnchoredImage.sampleAnchors.count)
    let scale = stratum == "confident" ? 30.0 : 4
    return Scene(
      [
        Tensor(
          [images, priors, 4], (0..<images * priors * 4).map { _ in random.uniform(-3, 3) }),
        Tensor(
          [images, priors, 4], (0..<images * priors * 4).map { _ in random.uniform(-scale, scale) }
        ),
      ], truths)
  }

  // MARK: - Examples

  public static var worked: [WorkedScene<Self>] {
    let rules = [
      ("ssd.pytorch", ssdPytorch), ("torchvision", torchvision), ("mmdetection", mmdetection),
    ]
    return rules.flatMap { name, rule in
      [
        WorkedScene(name, rule, DenseExample.priors([0, 1])),
        WorkedScene("\(name), with an empty image", rule, DenseExample.priors([0, 1, 2])),
        WorkedScene("\(name), empty", rule, DenseExample.priors([2])),
        WorkedScene("\(name), few priors", rule, DenseExample.fewPriors),
      ]
    }
  }
}

extension DenseExample {
  /// Images of three by three cells with four priors each.
  fileprivate static func priors(_ images: [Int]) -> Scene<[AnchoredImage]> {
    var priors: [Box<Double>] = []
    for cell in 0..<9 {
      let (x, y) = (Double(cell % 3) + 0.5, Double(cell / 3) + 0.5)
      for (w, h) in [(8.0, 8.0), (14, 12), (10, 18), (24, 22)] {
        priors.append(Box(centerX: x * 32 / 3, centerY: y * 32 / 3, width: w, height: h))
      }
    }
    return Scene(
      [pattern([3, 36, 4], 19, 7, 59, 29, 15), logits(36)].map { head in
        Tensor.images(images.map { head.image($0) }, like: head)
      }, images.map { AnchoredImage(priors, truths[$0]) })
  }

  /// The 15 anchors with more positives than a quarter: the negatives run out.
  fileprivate static var fewPriors: Scene<[AnchoredImage]> {
    Scene(
      [pattern([3, 36, 4], 19, 7, 59, 29, 15), logits(36)].map { head in
        let first = head.image(0)
        return Tensor([1, 15, 4], Array(first.data.prefix(60)))
      }, [AnchoredImage(anchors, truths[0])])
  }

  /// Four columns; the second factor makes no two rows equal up to a constant.
  private static func logits(_ priors: Int) -> Tensor {
    let shape = [3, priors, 4]
    let factors = pattern(shape, 53, 9, 401, 0, 401).data
    return Tensor(
      shape, zip(pattern(shape, 37, 2, 83, 41, 20).data, factors).map { $0 * (0.5 + $1) })
  }
}
