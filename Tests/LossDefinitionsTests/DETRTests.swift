import LossDefinitions
import Testing

@Suite struct DETRTests {
  static let worked = DETR.worked[0]

  @Test func workedScenes() throws {
    try expectWorked(
      DETR.self, "worked",
      terms: [1.227764373078, 5 * 0.54, 2 * 0.797432690287],
      absolute: [1.279583075623, 27.384186686823], sums: [0, 6.075293697549])
    try expectWorked(
      DETR.self, "without truths", terms: [1.438683060372, 0, 0], absolute: [1.367856726299, 0])
  }

  @Test func matching() {
    let (objective, scene) = (Self.worked.objective, Self.worked.scene)
    expectClose(
      objective.costs(scene.heads, scene.truths[0], image: 0).data,
      [
        3.50940530251344, 3.1766503783634685, 4.919314532655687, 3.211314766746897,
        5.183940569120426, 5.340805779487577, 4.029712051963113, 2.9821598546602996,
        2.1699739535439044, 4.292798164622813,
      ], "costs of image 0")
    expectClose(
      objective.costs(scene.heads, scene.truths[1], image: 1).data,
      [
        6.108954248761449, 0.617248331290174, 3.6376407620663254, 6.6520778940751,
        7.262889099563809,
      ], "costs of image 1")
    let decisions = objective.decide(scene.heads, scene.truths)
    #expect(decisions.queries == [[4, 3], [1], []])
    #expect(decisions.classes == [[3, 3, 3, 2, 0], [3, 1, 3, 3, 3], [3, 3, 3, 3, 3]])
  }

  /// Believed: the class term is a mean over queries, so that a batch's is the mean of its images'.
  @Test func classTermIsNoMeanOverImages() throws {
    let (objective, scene) = (Self.worked.objective, Self.worked.scene)
    let single = try (0..<3).map { image in
      let alone = Scene(scene.heads.map { $0.image(image) }, [scene.truths[image]])
      return try ReferenceEvaluator().evaluate(objective, alone).terms[0]
    }
    expectClose(single, [0.940429402442, 1.656546056371, 1.348916524787])
    expectClose([single.reduce(0, +) / 3], [1.315297327866])
    let batch = try ReferenceEvaluator().evaluate(objective, scene).terms[0]
    expectClose([batch], [1.227764373078])
  }

  /// Believed: a class index C is caught. The release calls it no object, and still regresses its box.
  @Test func classBeyondTheLastIsNoObject() throws {
    var objective = Self.worked.objective
    let heads = Self.worked.scene.heads
    let stray = CenteredTruths(rows: [[0.3, 0.35, 0.4, 0.5, 3]])
    let truths = [stray, CenteredTruths(), CenteredTruths()]
    expectRefusal(objective, heads, truths, "labels", image: 0, index: 0)
    objective.admitsNoObject = true
    let result = try ReferenceEvaluator().evaluate(objective, Scene(heads, truths))
    expectClose(result.terms, [1.438683060372, 5 * 0.5, 1.920327808696])
  }

  @Test func moreTruthsThanQueries() throws {
    var scene = Self.worked.scene
    scene.truths[2] = CenteredTruths(
      (0..<7).map { CenteredBox(cx: 0.1 * Double($0 + 1), cy: 0.5, w: 0.2, h: 0.25) },
      labels: [0, 1, 2, 0, 1, 2, 0])
    let decisions = Self.worked.objective.decide(scene.heads, scene.truths)
    #expect(decisions.queries[2].count { $0 == nil } == 2)
    // n counts the unmatched truths, too.
    let result = try ReferenceEvaluator().evaluate(Self.worked.objective, scene)
    #expect(result.terms.filter { !$0.isFinite }.isEmpty)
  }

  @Test func nothingAtAll() throws {
    let none = Scene([Tensor([0, 5, 4], []), Tensor([0, 5, 4], [])], [CenteredTruths]())
    for evaluator in [ReferenceEvaluator(), KernelEvaluator<Float>()] as [any Evaluator] {
      #expect(try evaluator.evaluate(DETR(), none).terms == [0, 0, 0])
    }
  }

  @Test func refusals() {
    let (heads, truths) = (Self.worked.scene.heads, Self.worked.scene.truths)
    func refused(
      _ argument: String, image: Int? = nil, index: Int? = nil,
      _ change: (inout [Tensor], inout [CenteredTruths]) -> Void
    ) {
      var (heads, truths) = (heads, truths)
      change(&heads, &truths)
      expectRefusal(DETR(), heads, truths, argument, image: image, index: index)
    }
    refused("heads") { heads, _ in heads.removeLast() }
    refused("logits") { _, truths in truths.removeLast() }
    refused("logits", image: 1, index: 3) { heads, _ in heads[0].data[23] = .nan }
    refused("boxes", image: 1, index: 1) { heads, _ in heads[1].data[26] = -0.5 }
    refused("boxes", image: 0, index: 2) { heads, _ in heads[1].data[8] = .infinity }
    refused("boxes", image: 1, index: 0) { _, truths in truths[1].boxes[0].w = -1 }
    refused("boxes", image: 0, index: 1) { _, truths in truths[0].boxes[1].cx = .nan }
    refused("labels", image: 0, index: 1) { _, truths in truths[0].labels[1] = -1 }
    refused("labels", image: 1) { _, truths in truths[1].labels = [] }
  }
}
