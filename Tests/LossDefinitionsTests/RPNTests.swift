import Testing

@testable import LossDefinitions

@Suite struct RPNTests {
  /// Scene, objectness, box.
  static let totals: [(String, Double, Double)] = [
    ("torchvision", 0.978872441171725, 0.152593071936098),
    ("torchvision, an image without truths", 0.840437447340072, 0.067071024786206),
    ("torchvision, no truths", 0.790235622934386, 0),
    ("detectron2", 0.045884645679925, 0.008454459725086),
    ("detectron2, an image without truths", 0.042678464122738, 0.004273582177728),
    ("detectron2, no truths", 0.046302868531312, 0),
    ("Matterport", 1.194799619137708, 0.358439563825747),
  ]

  private func worked(_ name: String) throws -> WorkedScene<RPN> {
    try #require(RPN.worked.first { $0.name == name })
  }

  private func isNear(_ x: Double, _ y: Double, _ tolerance: Double) -> Bool {
    (x - y).magnitude <= tolerance * y.magnitude + 1e-15
  }

  @Test(arguments: totals)
  func exampleTerms(_ name: String, objectness: Double, box: Double) throws {
    let example = try worked(name)
    let reference = try ReferenceEvaluator().evaluate(example.objective, example.scene)
    let double = try KernelEvaluator<Double>().evaluate(example.objective, example.scene)
    let float = try KernelEvaluator<Float>().evaluate(
      example.objective.roundedToFloat, example.scene)
    for (k, want) in [objectness, box].enumerated() {
      #expect(isNear(reference.terms[k], want, 1e-11))
      #expect(isNear(double.terms[k], want, 1e-11))
      #expect(isNear(float.terms[k], want, 1e-5))
    }
    for (head, want) in reference.gradients.enumerated() {
      let scale = want.data.map(\.magnitude).max() ?? 0
      for (k, slope) in want.data.enumerated() {
        #expect((double.gradients[head].data[k] - slope).magnitude <= 1e-13 * scale)
        #expect((float.gradients[head].data[k] - slope).magnitude <= 1e-5 * scale)
      }
    }
  }

  @Test func exampleLabelsAndTargets() throws {
    let example = try worked("torchvision")
    let decisions = example.objective.decide(example.scene.heads, example.scene.truths)
    #expect(
      decisions.labels == [
        [-1, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1, -1],
        [0, 0, 0, 1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ])
    #expect(decisions.owners[0][1] == 0 && decisions.owners[0][13] == 1)
    #expect(decisions.owners[1].compactMap { $0 } == [0])
    // Of 24 sampled anchors three are positive; N = M = 24.
    #expect(decisions.labels.joined().count { $0 != -1 } == 24)
    let target: [Double] = example.objective.target(example.scene.truths, decisions, 0, 1)
    let want = [0, 0.09375, -0.13353139262452263, -0.06453852113757118]
    for (t, w) in zip(target, want) { #expect(isNear(t, w, 1e-13)) }
  }

  /// Believed: the force match adds few positives. A truth apart from every anchor has maximum 0.
  @Test func oneFarTruthMakesEveryAnchorPositive() throws {
    var rule = MaxIoU()
    let near = MaxIoU.Problem(anchors: RPN.exampleAnchors, truths: RPN.exampleImages[1].boxes)
    var far = near
    far.truths.append(Box(x1: 1000, y1: 1000, x2: 1010, y2: 1010))
    #expect(rule.reference(near).labels.count { $0 == 1 } == 1)
    let zeros = RPN.exampleAnchors.indices.filter {
      rule.reference(near).overlaps[$0] == 0
    }
    #expect(zeros.allSatisfy { rule.reference(far).labels[$0] == 1 })
    far.truths.removeFirst()
    #expect(rule.reference(far).labels.allSatisfy { $0 == 1 })
    #expect(rule.reference(far).owners.allSatisfy { $0 == 0 })
    rule.lowQuality?.minimum = 0.3
    #expect(rule.reference(far).labels.allSatisfy { $0 == 0 })
  }

  /// Believed: a batch's loss is the mean of its images'. detectron2's is; torchvision's is not.
  @Test func batchAndImages() throws {
    let reference = ReferenceEvaluator()
    let scenes = [[0, 1], [0], [1]].map { RPN.example(images: $0) }
    let torchvision = try scenes.map { try reference.evaluate(RPN(), $0).terms[0] }
    #expect(isNear(torchvision[0], 0.9788724411717252, 1e-12))
    #expect(isNear((torchvision[1] + torchvision[2]) / 2, 0.9734895211293273, 1e-12))
    let detectron2 = try scenes.map { try reference.evaluate(RPN.detectron2(), $0).terms }
    for k in 0..<2 {
      #expect(isNear((detectron2[1][k] + detectron2[2][k]) / 2, detectron2[0][k], 1e-14))
    }
  }

  @Test func decodeInvertsEncode() {
    for coder in [BoxDeltas(), BoxDeltas(.yx, deviations: [0.1, 0.1, 0.2, 0.2])] {
      for anchor in RPN.exampleAnchors {
        for truth in RPN.exampleImages.flatMap(\.boxes) {
          let row = coder.encode(truth, from: anchor)
          var written = [0.0, 0, 0, 0]
          coder.write(truth, from: anchor, to: &written)
          for (a, b) in zip(row, written) { #expect(isNear(a, b, 1e-14)) }
          for (a, b) in zip(coder.decode(row, from: anchor).corners, truth.corners) {
            #expect((a - b).magnitude <= 1e-13)
          }
        }
      }
    }
    // Above the clip the side is 1000 / 16 anchors'.
    let anchor = Box(x1: 0, y1: 0, x2: 16.0, y2: 16)
    let wide = BoxDeltas().decode([0, 0, 10, 0], from: anchor)
    #expect((wide.width - 1000).magnitude < 1e-9)
  }

  @Test func aQuotaIsKept() {
    var rpn = RPN()
    rpn.sampler.quota = 4
    let scene = RPN.example(images: [0, 1, 2])
    let decisions = rpn.decide(scene.heads, scene.truths)
    for labels in decisions.labels {
      #expect(labels.count { $0 != -1 } == 4)
      #expect(labels.count { $0 == 1 } <= 2)
    }
    #expect(decisions == rpn.decide(scene.heads, scene.truths))
    guard case .boxes(let anchors, var images) = scene.truths else { return }
    let draws = Set(
      (0..<20 as Range<UInt64>).map { seed in
        images[2].seed = seed
        return rpn.decide([], .boxes(anchors: anchors, images: images)).labels[2]
      })
    #expect(draws.count > 10)
  }

  @Test func nothingToLearnIsZero() throws {
    let evaluators: [any Evaluator] = [
      ReferenceEvaluator(), KernelEvaluator<Float>(), KernelEvaluator<Double>(),
    ]
    let anchors = RPN.exampleAnchors
    let scenes: [Scene<RPN.Supervision>] = [
      Scene([Tensor([0, 15], []), Tensor([0, 15, 4], [])], .boxes(anchors: anchors, images: [])),
      Scene(
        [Tensor([1, 0], []), Tensor([1, 0, 4], [])],
        .boxes(anchors: [], images: [RPN.exampleImages[0]])),
      Scene(
        [Tensor([1, 2], [1, 2]), Tensor(zeros: [1, 2, 4])],
        .targets(labels: [[-1, -1]], deltas: Tensor(zeros: [1, 2, 4]))),
    ]
    for evaluator in evaluators {
      for scene in scenes {
        let result = try evaluator.evaluate(RPN(), scene)
        #expect(result.terms == [0, 0])
        #expect(result.gradients.allSatisfy { $0.data.allSatisfy { $0 == 0 } })
      }
    }
  }

  // MARK: - What is refused

  private func refusal(_ rpn: RPN, _ scene: Scene<RPN.Supervision>) -> InvalidInput? {
    do throws(InvalidInput) {
      try rpn.check(scene.heads, scene.truths)
      return nil
    } catch {
      return error
    }
  }

  @Test func badInputIsNamed() {
    let good = RPN.example(images: [0, 1])
    #expect(refusal(RPN(), good) == nil)

    var scene = good
    scene.heads.removeLast()
    #expect(refusal(RPN(), scene)?.argument == "heads")
    scene = good
    scene.heads[0].shape = [15, 2]
    #expect(refusal(RPN(), scene)?.argument == "objectness")
    scene = good
    scene.heads[1].data[4 * 17 + 2] = .nan
    #expect(
      refusal(RPN(), scene)
        == InvalidInput(
          "deltas", image: 1, index: 10, given: "nan", expected: "a finite number"))
    #expect(refusal(.matterport, good)?.argument == "objectness")
    #expect(refusal(.keras(fromLogits: false), good)?.expected == "a probability in [0, 1]")

    for box in [Box(x1: 9.0, y1: 0, x2: 3, y2: 4), Box(x1: 3, y1: 0, x2: 3, y2: 4)] {
      scene = good
      scene.truths = .boxes(anchors: RPN.exampleAnchors, images: [RPN.Image(), RPN.Image([box])])
      let refusal = refusal(RPN(), scene)
      #expect(refusal?.argument == "boxes" && refusal?.image == 1 && refusal?.index == 0)
    }
    scene = good
    scene.truths = .targets(
      labels: [Array(repeating: 0, count: 15), Array(repeating: 2, count: 15)],
      deltas: Tensor(zeros: [2, 15, 4]))
    #expect(refusal(RPN(), scene)?.argument == "labels")
    scene.truths = .targets(
      labels: [Array(repeating: 0, count: 15), Array(repeating: 1, count: 14)],
      deltas: Tensor(zeros: [2, 15, 4]))
    #expect(refusal(RPN(), scene)?.argument == "labels")
    scene.truths = .targets(
      labels: Array(repeating: Array(repeating: 0, count: 15), count: 2),
      deltas: Tensor(zeros: [2, 15]))
    #expect(refusal(RPN(), scene)?.argument == "targets")
  }
}
