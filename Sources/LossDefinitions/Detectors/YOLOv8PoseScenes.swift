extension YOLOv8Pose {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .agreesWithDetection({ $0.detection }, { $0.detection }),
    .noBackgroundGradient("boxes"),
    .noBackgroundGradient("kpts"),
    .bounded("pose", "B g_pose") { $0.detection.factor($1) * $0.poseGain },
    .invariant(under: "another order of the images") { _, scene in
      let truths = scene.truths.detection.imagesReversed(scene.heads[0].shape[0])
      return scene.imagesReversed(Truths(truths, scene.truths.keypoints))
    },
    .invariant(under: "visible and hidden, both labelled") { _, scene in
      // A visibility of 1, labelled but hidden, counts as 2 does.
      guard scene.truths.keypoints.columns == 3 else { return nil }
      var moved = scene
      for i in stride(from: 2, to: moved.truths.keypoints.data.count, by: 3)
      where moved.truths.keypoints.data[i] != 0 {
        moved.truths.keypoints.data[i] = 3 - moved.truths.keypoints.data[i]
      }
      return moved
    },
    ObjectiveLaw("no gradient in the place of a keypoint that is not visible") {
      objective, scene, answers in
      let decisions = objective.decide(scene.heads, scene.truths)
      let slopes = try answers.gradients(objective, scene)[2]
      for point in objective.points(scene.truths, decisions) where !point.isVisible {
        for axis in 0..<2 where slopes[point.image, point.channel + axis, point.anchor] != 0 {
          return .refuted("image \(point.image), anchor \(point.anchor)")
        }
      }
      return .holds
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var own = Self()
    own.sigmas = [0.05, 0.1, 0.4]
    return [Configuration("default", Self()), Configuration("own sigmas", own)]
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
    let (count, dimensions) = (3, random.integer(2...3))
    var outputs = Tensor(zeros: [images, count * dimensions, anchors])
    for i in outputs.data.indices {
      let isLogit = dimensions == 3 && i / anchors % 3 == 2
      let value =
        isLogit
        ? (stratum == "saturated" ? random.sign() * 30 : random.uniform(-4, 4))
        : random.uniform(-1, 2)
      outputs.data[i] = Double(Float(value))
    }
    var keypoints = Tensor(zeros: [plain.truths.rows.count, count, dimensions])
    for i in keypoints.data.indices {
      keypoints.data[i] =
        dimensions == 3 && i % 3 == 2 ? Double(random.integer(0...2)) : random.uniform(0, 1)
    }
    return Scene(plain.heads + [outputs], Truths(plain.truths, keypoints))
  }
}
