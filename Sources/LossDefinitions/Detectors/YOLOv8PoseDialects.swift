extension YOLOv8Pose {
  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 3 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "3")
    }
    try detection.check(Array(heads[..<2]), truths.detection)
    try truths.keypoints.check("keypoints", shape: [truths.detection.rows.count, nil, nil])
    let (count, dimensions) = (truths.keypoints.shape[1], truths.keypoints.shape[2])
    guard count > 0, dimensions == 2 || dimensions == 3 else {
      throw InvalidInput(
        "keypoints", given: "shape \(truths.keypoints.shape)",
        expected: "at least one keypoint of 2 or 3 numbers")
    }
    try truths.keypoints.checkFinite("keypoints")
    try heads[2].check(
      "kpts", shape: [heads[0].shape[0], count * dimensions, heads[0].shape[2]])
    try heads[2].checkFinite("kpts")
    guard let sigmas else { return }
    guard sigmas.count == count, sigmas.allSatisfy({ 0 < $0 && $0 < .infinity }) else {
      throw InvalidInput("sigmas", given: "\(sigmas)", expected: "\(count) positive numbers")
    }
  }

  public static let dialects: [Dialect] = [
    Dialect(
      "ultralytics", "v8PoseLoss",
      "The five terms times the batch's size; 0 for visibilities where keypoints have two numbers.",
      inputs: ["boxes", "scores", "batch_idx", "cls", "bboxes", "kpts", "keypoints"],
      parameters: YOLOv8.parameters + ["kpt_shape", "sigmas", "keypoints"]
    ) { call, evaluator in
      var objective = Self()
      objective.detection = try YOLOv8(call)
      let gains = try call.group("gains")
      objective.poseGain = gains["pose"] ?? objective.poseGain
      objective.visibilityGain = gains["kobj"] ?? objective.visibilityGain
      objective.sigmas = try call.optionalNumbers("sigmas")
      let heads = try ["boxes", "scores", "kpts"].map { try call.tensor($0) }
      let keypoints = try call.tensor("keypoints")
      try call.expect(
        "kpt_shape", .list(keypoints.shape.dropFirst().map { .number(Double($0)) }))
      try call.expect(
        "keypoints",
        .text(keypoints.columns == 3 ? "normalised x, y, visibility" : "normalised x, y"))
      let detection = YOLOv8.Truths(try call.anchorGrid(), try call.truthRows())
      let result = try evaluator.evaluate(
        objective, Scene(heads, Truths(detection, keypoints)))
      return Answer(
        Tensor([5], result.terms),
        gradients: Dictionary(uniqueKeysWithValues: zip(objective.heads, result.gradients)),
        outputs: objective.detection.targets(heads, detection, result.decisions))
    }
  ]
}
