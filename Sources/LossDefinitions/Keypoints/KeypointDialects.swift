extension Dialect {
  static let keypointLoss = Dialect(
    "ultralytics", "KeypointLoss",
    "The mean over all n x K keypoints of K / (visible + 1e-9) L, 0 where masked.",
    inputs: ["pred_kpts", "gt_kpts", "kpt_mask", "area"], parameters: ["sigmas"]
  ) { call, evaluator in
    let x = try call.tensor("pred_kpts")
    guard x.shape.count == 3, x.shape[2] == 2 else {
      throw Refusal.rejected("\"pred_kpts\" has shape \(x.shape); expected [N, K, 2]")
    }
    let (n, k) = (x.shape[0], x.shape[1])
    let truth = try call.tensor("gt_kpts", like: x.shape)
    let mask = try call.tensor("kpt_mask", like: [n, k])
    let area = try call.tensor("area", like: [n, 1])
    let sigmas = try call.optionalNumbers("sigmas") ?? []
    guard sigmas.count == k, sigmas.allSatisfy({ $0 > 0 }) else {
      throw Refusal.rejected("\"sigmas\" is \(sigmas); expected \(k) positive numbers")
    }
    if let i = area.data.firstIndex(where: { $0 < 0 }) {
      throw Refusal.rejected("\"area\" at index \(i) is \(area[i]); expected at least 0")
    }
    guard call.reduction == "mean" else {
      throw Refusal.unsupported("reduction \"\(call.reduction)\"")
    }
    let items = (0..<n * k).map { i in
      Item(
        [x[2 * i], x[2 * i + 1]],
        [truth[2 * i], truth[2 * i + 1], sigmas[i % k], area[i / k]])
    }
    let results = try evaluator.evaluate(OKS(epsilon: 1e-9), items)
    let weights = (0..<n * k).map { i in
      let row = mask.data[i / k * k..<(i / k + 1) * k]
      return Double(k) / (Double(row.count { $0 != 0 }) + 1e-9) * mask[i] / Double(n * k)
    }
    var value = 0.0
    for (result, weight) in zip(results, weights) { value += result.value * weight }
    return Answer(
      Tensor([], [n * k == 0 ? .nan : value]),
      gradients: [
        "pred_kpts": Tensor(
          x.shape, zip(results, weights).flatMap { r, w in r.prediction.map { w * $0 } })
      ])
  }

  /// MMPose's: 1 − Σ w OKS over an object's keypoints, with the weights over their number or, with
  /// `norm_target_weight`, over their sum.
  static let mmposeOKS = Dialect(
    "mmpose", "OKSLoss",
    "1 − Σ w OKS of each object, w over K, or over Σ w with `norm_target_weight`; √area ≥ 1e-8.",
    inputs: ["output", "target", "target_weight", "areas"],
    parameters: ["sigmas", "norm_target_weight", "eps", "mode"]
  ) { call, evaluator in
    try call.expect("mode", .text("linear"))
    let least = try call.number("eps", default: 1e-8)
    let normalizes = try call.flag("norm_target_weight", default: false)
    let objects = try KeypointObjects(
      call, output: "output", target: "target", weights: "target_weight")
    let areas = try call.tensor("areas", like: [objects.n]).data
    let scales = areas.map { Swift.max($0.squareRoot(), least) }.map { $0 * $0 }
    return try objects.answer(call, OKS(), scales: scales, evaluator) { row in
      let total = Swift.max(row.reduce(0, +), least)
      return row.map { $0 / (normalizes ? total : Double(row.count)) }
    }
  }

  /// MMYOLO's: k = σ, the box's diagonal, and the weights over their sum.
  static let mmyoloOKS = Dialect(
    "mmyolo", "OksLoss",
    "1 − Σ w OKS / Σ w of each object, with k = σ and the box's diagonal for √area; never reduced.",
    inputs: ["output", "target", "target_weights", "bboxes"], parameters: ["sigmas"]
  ) { call, evaluator in
    guard call.reduction == "none" else {
      throw Refusal.unsupported("reduction \"\(call.reduction)\"")
    }
    let objects = try KeypointObjects(
      call, output: "output", target: "target", weights: "target_weights")
    let boxes = try call.tensor("bboxes", like: [objects.n, 4])
    let scales = (0..<objects.n).map { i in
      let square = OKS.Scale.diagonal.squared(
        width: boxes[4 * i + 2] - boxes[4 * i], height: boxes[4 * i + 3] - boxes[4 * i + 1])
      return Swift.max(square, 1e-16)
    }
    return try objects.answer(call, OKS(spread: .sigma), scales: scales, evaluator) { row in
      let total = Swift.max(row.reduce(0, +), 1e-8)
      return row.map { $0 / total }
    }
  }
}

/// The keypoints of a call: n objects of K.
private struct KeypointObjects {
  let n, k: Int
  private let output: String
  private let x, truth: Tensor
  private let weights, sigmas: [Double]

  init(_ call: Call, output: String, target: String, weights: String) throws {
    self.output = output
    x = try call.tensor(output)
    guard x.shape.count == 3, x.shape[2] == 2 else {
      throw Refusal.rejected("\"\(output)\" has shape \(x.shape); expected [N, K, 2]")
    }
    (n, k) = (x.shape[0], x.shape[1])
    truth = try call.tensor(target, like: x.shape)
    self.weights = try call.tensor(weights, like: [n, k]).data
    sigmas = try call.optionalNumbers("sigmas") ?? []
    guard sigmas.count == k, sigmas.allSatisfy({ $0 > 0 }) else {
      throw Refusal.rejected("\"sigmas\" is \(sigmas); expected \(k) positive numbers")
    }
  }

  /// 1 − Σ w (1 − L) of each object, as (1 − Σ w) + Σ w L.
  ///
  /// - Parameter normalize: an object's weights as they are summed.
  func answer(
    _ call: Call, _ loss: OKS, scales: [Double], _ evaluator: any Evaluator,
    _ normalize: ([Double]) -> [Double]
  ) throws -> Answer {
    let items = (0..<n * k).map { i in
      Item(
        [x[2 * i], x[2 * i + 1]],
        [truth[2 * i], truth[2 * i + 1], sigmas[i % k], scales[i / k]])
    }
    let results = try evaluator.evaluate(loss, items)
    let rows = (0..<n).map { normalize(Array(weights[$0 * k..<($0 + 1) * k])) }
    let entries = rows.enumerated().map { i, row in
      row.indices.reduce(1 - row.reduce(0, +)) { $0 + row[$1] * results[i * k + $1].value }
    }
    let (value, slopes) = try call.reduce(Tensor([n], entries))
    let gradient = results.enumerated().flatMap { i, result in
      result.prediction.map { slopes[i / k] * rows[i / k][i % k] * $0 }
    }
    return Answer(value, gradients: [output: Tensor(x.shape, gradient)])
  }
}
