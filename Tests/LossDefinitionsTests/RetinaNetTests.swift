import Testing

@testable import LossDefinitions

/// A worked scene of an objective, by the reference and by both optimized versions, against the digits
/// of the chapter.
func expectTerms<O: Objective>(
  _: O.Type, _ name: String, _ want: [Double], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let worked = try #require(
    O.worked.first { $0.name == name }, sourceLocation: sourceLocation)
  let evaluators: [(any Evaluator, Double)] = [
    (ReferenceEvaluator(), 1e-11), (KernelEvaluator<Double>(), 1e-11),
    (KernelEvaluator<Float>(), 2e-6),
  ]
  for (evaluator, tolerance) in evaluators {
    let got = try evaluator.evaluate(worked.objective, worked.scene).terms
    for (a, b) in zip(got, want) {
      #expect(
        (a - b).magnitude <= tolerance * max(b.magnitude, 1e-3), "\(a), expected \(b)",
        sourceLocation: sourceLocation)
    }
    #expect(got.count == want.count, sourceLocation: sourceLocation)
  }
}

@Suite struct RetinaNetTests {
  @Test(arguments: [
    ("torchvision", [1.9159109600556858, 1.5829938772089762]),
    ("detectron2", [0.12290376275164795, 0.11019678413038185]),
    ("mmdetection", [1.592481584533696, 1.623634256618394]),
    ("torchvision, with an empty image", [3.301812132285473, 1.0553292514726509]),
    ("detectron2, with an empty image", [0.18986753868047979, 0.11019678413038185]),
    ("mmdetection, with an empty image", [2.152623187713355, 1.4206799775653491]),
    ("torchvision, empty", [6.073614476745047, 0]),
    ("detectron2, empty", [0.06740970562425136, 0]),
    ("mmdetection, empty", [6.073613752713866, 0]),
  ])
  func worked(_ name: String, _ terms: [Double]) throws {
    try expectTerms(RetinaNet.self, name, terms)
  }

  @Test func matchesAreTheFrameworks() throws {
    let scene = RetinaNet.worked[0].scene
    let decisions = RetinaNet().decide(scene.heads, scene.truths)
    #expect(
      decisions.matches == [
        [0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, -2],
        [-1, -1, -1, 0, 0, -2, -1, -1, -1, -1, -1, -1, -1, -1, -1],
      ])
  }

  @Test func runningNormalizerIsHandedOn() throws {
    let first = RetinaNet.detectron2()
    let scene = RetinaNet.worked[0].scene
    let running = try #require(first.decide(scene.heads, scene.truths).running)
    #expect((running - 90.7).magnitude < 1e-12)
    let second = RetinaNet.detectron2(running: running)
    let next = try #require(second.decide(scene.heads, scene.truths).running)
    #expect((next - 82.33).magnitude < 1e-12)
  }

  /// "detectron2's loss is a function of the batch": the second step of the same batch differs.
  @Test func detectron2DependsOnTheSteps() throws {
    let (first, second) = (0.12290376275164795, 0.11019678413038185)
    try expectTerms(
      RetinaNet.self, "detectron2, second step", [first * 90.7 / 82.33, second * 90.7 / 82.33])
  }

  /// "The batch's loss is the mean of its images'": torchvision's is, mmdetection's is not.
  @Test func onlyTorchvisionIsTheMeanOfItsImages() throws {
    func terms(_ name: String, _ objective: RetinaNet) throws -> [Double] {
      let scene = try #require(RetinaNet.worked.first { $0.name == name }).scene
      return try ReferenceEvaluator().evaluate(objective, scene).terms
    }
    for (objective, isMean) in [(RetinaNet.torchvision, true), (.mmdetection, false)] {
      let batch = try terms("torchvision", objective)
      let images = try [0, 1].map { try terms("torchvision, image \($0)", objective) }
      let mean = (images[0][0] + images[1][0]) / 2
      #expect(((batch[0] - mean).magnitude < 1e-12) == isMean, "\(batch[0]), mean \(mean)")
    }
  }

  @Test func badInputIsNamed() throws {
    let scene = RetinaNet.worked[0].scene
    func refusal(_ change: (inout Scene<[AnchoredImage]>) -> Void) -> InvalidInput? {
      var bad = scene
      change(&bad)
      do {
        try RetinaNet().check(bad.heads, bad.truths)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.truths[1].truths.labels[0] = 3 }?.argument == "labels")
    #expect(refusal { $0.truths[1].truths.labels[0] = 3 }?.image == 1)
    #expect(refusal { $0.truths[0].truths.boxes[1].x2 = 5 }?.argument == "boxes")
    #expect(refusal { $0.truths[0].truths.boxes[1].x2 = 5 }?.index == 1)
    #expect(refusal { $0.truths[0].truths.boxes[1].x2 = 4 }?.expected == "finite numbers, x1 ≤ x2")
    #expect(refusal { $0.heads[1].data[63] = .nan }?.argument == "deltas")
    #expect(refusal { $0.heads[1].data[63] = .nan }?.image == 1)
    #expect(refusal { $0.truths[0].anchors.removeLast() }?.argument == "anchors")
    #expect(
      refusal { $0.truths[0].matches = Array(repeating: 2, count: 15) }?.argument == "matches")
    #expect(refusal { $0.heads.removeLast() }?.argument == "heads")
    #expect(refusal { $0.heads[1].shape = [2, 14, 4] }?.argument == "deltas")
  }

  @Test func emptyBatchIsZero() throws {
    let scene = Scene([Tensor([0, 15, 3], []), Tensor([0, 15, 4], [])], [AnchoredImage]())
    for configuration in RetinaNet.configurations {
      let result = try KernelEvaluator<Float>().evaluate(configuration.loss, scene)
      #expect(result.terms == [0, 0])
    }
  }
}
