import LossDefinitions
import Testing

/// Masks, their targets, and the five terms together.
@Suite struct MaskRCNNTests {
  static let evaluators: [any Evaluator] = [ReferenceEvaluator(), KernelEvaluator<Double>()]

  @Test func masksOfTheExample() throws {
    let want = [
      "torchvision": 0.8028127840581775, "detectron2": 0.7768531579144257,
      "Matterport": 0.8981783598171932,
    ]
    for worked in MaskHead.worked {
      for evaluator in Self.evaluators {
        let got = try evaluator.evaluate(worked.objective, worked.scene).terms[0]
        #expect(FastRCNNTests.near(got, try #require(want[worked.name])), "\(worked.name): \(got)")
      }
    }
  }

  @Test func fiveTermsOfTheExample() throws {
    let want: [String: [Double]] = [
      "torchvision": [
        0.9788724411717252, 0.15259307193609786, 1.6106520323993814, 1.5324889651282823,
        0.8028127840581775,
      ],
      "Matterport": [
        1.194799619137708, 0.35843956382574654, 2.2541603366893037, 0.3113983688973977,
        0.8981783598171932,
      ],
    ]
    for worked in MaskRCNN.worked {
      for evaluator in Self.evaluators {
        let got = try evaluator.evaluate(worked.objective, worked.scene).terms
        for (got, want) in zip(got, try #require(want[worked.name])) {
          #expect(FastRCNNTests.near(got, want), "\(worked.name): \(got), not \(want)")
        }
      }
    }
    #expect(
      MaskRCNN().terms == [
        "rpn_class_loss", "rpn_bbox_loss", "mrcnn_class_loss", "mrcnn_bbox_loss",
        "mrcnn_mask_loss",
      ])
  }

  @Test func gainsWeighTheTermsAndTheirHeads() throws {
    let worked = MaskRCNN.worked[0]
    var weighted = worked.objective
    weighted.gains = [2, 0.5, 0, 4, 0.25]
    for evaluator in Self.evaluators {
      let plain = try evaluator.evaluate(worked.objective, worked.scene)
      let result = try evaluator.evaluate(weighted, worked.scene)
      for k in 0..<5 {
        #expect(result.terms[k] == weighted.gains[k] * plain.terms[k])
        #expect(
          zip(result.gradients[k].data, plain.gradients[k].data)
            .allSatisfy { ($0 - weighted.gains[k] * $1).magnitude <= 1e-15 })
      }
    }
  }

  /// The Keras spelling: classes and masks by the mean of the categorical cross-entropy of logits.
  @Test func kerasSpelling() throws {
    let worked = MaskRCNN.worked[1]
    var scene = worked.scene
    scene.heads[0] = pattern([2, 15], 7, 3, 31, 15, 8)
    scene.heads[4] = pattern([16, 4, 4, 4], 37, 9, 67, 33, 17)
    let rules = MaskRCNN.keras(regions: 8)
    for evaluator in Self.evaluators {
      let result = try evaluator.evaluate(rules, scene)
      let decisions = result.decisions
      let labels = decisions.regions.labels
      let rows = try evaluator.evaluate(
        SparseSoftmaxCrossEntropy(),
        labels.indices.map { row in
          Item((0..<4).map { scene.heads[2][row, $0] }, [Double(labels[row])])
        })
      let mean = rows.map(\.value).reduce(0, +) / Double(rows.count)
      #expect(FastRCNNTests.near(result.terms[2], mean))
      let pixels = decisions.mask.rows.flatMap { row in
        (0..<16).map { pixel in (0..<4).map { scene.heads[4].data[(row * 16 + pixel) * 4 + $0] } }
      }
      let costs = try evaluator.evaluate(
        SparseSoftmaxCrossEntropy(),
        zip(pixels, decisions.mask.classes).map { Item($0, [Double($1)]) })
      let maskMean = costs.map(\.value).reduce(0, +) / Double(costs.count)
      #expect(FastRCNNTests.near(result.terms[4], maskMean))
    }
  }

  @Test func badInputIsNamed() throws {
    func refusal(_ change: (inout MaskRCNN, inout Scene<MaskRCNN.Truths>) -> Void) throws -> String
    {
      var objective = MaskRCNN()
      var scene = MaskRCNN.worked[0].scene
      change(&objective, &scene)
      return try #require(throws: InvalidInput.self) {
        try objective.check(scene.heads, scene.truths)
      }.description
    }
    #expect(try refusal { _, scene in scene.heads.removeLast() } == "heads: 4 heads; expected 5")
    #expect(try refusal { rules, _ in rules.gains = [1] }.hasPrefix("gains: [1.0]"))
    #expect(
      try refusal { _, scene in scene.truths.images[1].truths.boxes[0].x2 = 2 }
        .hasPrefix("boxes, image 1, index 0"))
    #expect(
      try refusal { _, scene in scene.truths.images[0].masks.removeLast() }
        == "masks, image 0: 1 masks; expected one a box, 2")
    #expect(
      try refusal { _, scene in scene.truths.images[0].truths.labels[0] = 7 }
        .hasPrefix("labels, index 0: class 7"))
    #expect(
      try refusal { _, scene in scene.truths.images[0].proposals[0].x1 = .nan }
        .hasPrefix("proposals, image 0, index 0"))
    #expect(try refusal { _, scene in scene.heads[4].data[0] = .nan }.hasPrefix("masks, image 0"))
  }

  // MARK: Masks cut out

  static let ramp = Tensor([3, 3], [0, 0.25, 0.5, 0.25, 0.5, 0.75, 0.5, 0.75, 1])

  @Test func regionsAtTheEdgesOfAMask() {
    let whole = Box<Double>(x1: 0, y1: 0, x2: 3, y2: 3)
    // Aligned, a pixel's value is at its centre: cells that are pixels give them back.
    #expect(RoIAlign(isAligned: true)(Self.ramp, whole, rows: 3, columns: 3) == Self.ramp.data)
    // Unaligned, half a pixel on: the last sample is clamped to the last pixel.
    let shifted = RoIAlign(isAligned: false)(Self.ramp, whole, rows: 1, columns: 3)
    for (got, want) in zip(shifted, [11.0 / 24, 17.0 / 24, 20.0 / 24]) {
      #expect(FastRCNNTests.near(got, want))
    }
    let away = Box<Double>(x1: 10, y1: 10, x2: 12, y2: 12)
    #expect(RoIAlign(isAligned: false)(Self.ramp, away, rows: 2, columns: 2) == [0, 0, 0, 0])
    let empty = Box<Double>(x1: 1, y1: 1, x2: 1, y2: 1)
    #expect(RoIAlign(isAligned: true)(Self.ramp, empty, rows: 1, columns: 1) == [0])
    // An unaligned side counts as at least 1: one sample at 3/2.
    #expect(RoIAlign(isAligned: false)(Self.ramp, empty, rows: 1, columns: 1) == [0.75])
  }

  @Test func cropsAtTheEdgesOfAMask() {
    let whole = Box<Double>(x1: 0, y1: 0, x2: 1, y2: 1)
    #expect(CropAndResize()(Self.ramp, whole, rows: 3, columns: 3) == Self.ramp.data)
    #expect(CropAndResize()(Self.ramp, whole, rows: 1, columns: 1) == [0.5])
    let beyond = Box<Double>(x1: 0, y1: 0, x2: 2, y2: 0)
    #expect(CropAndResize()(Self.ramp, beyond, rows: 1, columns: 3) == [0, 0.5, 0])
    let halves = MaskTargets(.crop, rows: 1, columns: 1)
    #expect(halves(Self.ramp, in: whole, owner: whole) == [0])
  }
}
