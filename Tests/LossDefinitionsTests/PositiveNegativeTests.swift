import Testing

@testable import LossDefinitions

/// The chapter's numbers, step by step.
@Suite struct PositiveNegativeTests {
  private let e = Double.exp(1)

  @Test func exampleByHand() throws {
    let (objective, scene) = (PositiveNegative(), PositiveNegative.worked[0].scene)
    #expect(
      objective.overlaps(scene.heads[1], scene.truths[0], 0) == [
        [7.0 / 8, 0, 0.75], [0, 0.75, 0],
      ])
    #expect(objective.decide(scene.heads, scene.truths) == [[0, 1, nil]])

    let surprises = [Double.log(e + 2) - 1, Double.log(e * e + 2) - 2, Double.log(e * e * e + 2)]
    let result = try ReferenceEvaluator().evaluate(objective, scene)
    #expect((result.terms[0] - surprises.reduce(0, +)).magnitude < 1e-14)
    #expect(result.terms[1] == 0.125 + 1)
    #expect(result.gradients[1].data == [0, 0, 0, -0.5, 0, 1, 0, 0, 0, 0, 0, 0])
    let scores = [e / (e + 2), e * e / (e * e + 2), 1 / (e * e * e + 2)]
    for (row, score) in scores.enumerated() {
      let slope = result.gradients[0][0, row, row == 2 ? 2 : row]
      #expect((slope - (score - 1)).magnitude < 1e-15)
    }
  }

  @Test func theExponentDecidesWhoLearns() throws {
    let product = try #require(PositiveNegative.worked.last)
    #expect(product.objective.decide(product.scene.heads, product.scene.truths) == [[nil, 1, 0]])
  }

  @Test(arguments: PositiveNegative.worked.indices)
  func kernelsGiveTheExample(_ index: Int) throws {
    let worked = PositiveNegative.worked[index]
    let want = try ReferenceEvaluator().evaluate(worked.objective, worked.scene)
    let double = try KernelEvaluator<Double>().evaluate(worked.objective, worked.scene)
    let float = try KernelEvaluator<Float>().evaluate(worked.objective, worked.scene)
    for (result, tolerance) in [(double, 1e-14), (float, 1e-6)] {
      #expect(result.decisions == want.decisions)
      for (got, term) in zip(result.terms, want.terms) {
        #expect((got - term).magnitude <= tolerance * term)
      }
      for (got, gradient) in zip(result.gradients, want.gradients) {
        #expect(zip(got.data, gradient.data).allSatisfy { ($0 - $1).magnitude <= tolerance })
      }
    }
  }

  /// A conflict, and a truth that is left with nothing.
  @Test func aPredictionThatTwoTruthsPickGoesToTheOneItOverlapsMost() throws {
    var scene = PositiveNegative.worked[0].scene
    scene.truths[0].boxes.append(Box(x1: 0, y1: 0, x2: 4, y2: 3.75))
    scene.truths[0].labels.append(0)
    #expect(PositiveNegative().decide(scene.heads, scene.truths) == [[2, 1, nil]])
  }

  /// Believed and false: with N the positives, an image's share depends on the others.
  @Test func theBatchIsNotTheSumOfItsImages() throws {
    var objective = PositiveNegative()
    objective.normalizer = .positives
    var other = PositiveNegative.worked[0].scene
    other.truths[0] = ImageTruths()
    let one = PositiveNegative.worked[0].scene
    let both = Scene(
      zip(one.heads, other.heads).map { Tensor.images([$0, $1], like: $0) },
      one.truths + other.truths)
    let total = try ReferenceEvaluator().evaluate(objective, both).terms.reduce(0, +)
    let apart = try [one, other].map {
      try ReferenceEvaluator().evaluate(objective, $0).terms.reduce(0, +)
    }
    #expect((total - (apart[0] + apart[1] / 2)).magnitude < 1e-14)
    #expect(total < apart[0] + apart[1])
  }
}
