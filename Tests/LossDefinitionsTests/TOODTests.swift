import Testing

@testable import LossDefinitions

/// The chapters' numbers, step by step, and what is believed and false.
@Suite struct TOODTests {
  private static let scene = TOOD.worked[0].scene

  private static let overlaps = [
    [
      0.4159816100937493, 0.5322896281800391, 0.5557888371771527, 0.10804990397758557, 0, 0, 0,
      0.09859154929577466, 0.0764036312467892, 0, 0, 0, 0.19005507276373831, 0.20680178632772248,
      0.18199657829589572,
    ],
    [
      0.15601325183290676, 0.11601627241223446, 0.14635861622828905, 0.1852202741365497,
      0.23556093135772607, 0.2130241411621251, 0.23656269269169908, 0.2281334535617674,
      0.13824636126518372, 0.24463234592679095, 0.32856446106324166, 0.23817960797110777,
      0.47689920570198807, 0.6222684703433923, 0.40959690351263317,
    ],
  ]
  private static let metrics = [
    (0, 0, 0.0007670876339417059), (0, 2, 0.018918280878000352), (0, 13, 2.234297735937157e-05),
    (1, 3, 3.195379923970054e-05), (1, 12, 0.008789262544433336), (1, 13, 0.012111525143308027),
  ]
  private static let labels = [
    0.0225356888007901, 0.23933057300813046, 0.5557858993526065, 0.001641715421281398,
    0.0022197399898977355, 0.002500558612967195, 0.006999088664332569, 0.0017198718294765614,
    0.0001793360645154362, 0.008396966271265816, 0.014395255652992413, 0.004494696277736553,
    0.4515728396690776, 0.6222633325649111, 0.1112212922712488,
  ]

  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
    (a - b).magnitude <= tolerance * max(b.magnitude, 1e-300)
  }

  @Test func assignmentOfTheExample() {
    let assignment = TOODAssignment()
    let problem = TOOD().problem(Self.scene.heads, Self.scene.truths, 0)
    for (g, truth) in problem.truths.boxes.enumerated() {
      for (a, box) in problem.boxes.enumerated() {
        let u = assignment.overlap(truth, box)
        #expect((u - Self.overlaps[g][a]).magnitude < 1e-14, "truth \(g), anchor \(a)")
      }
    }
    for (g, a, want) in Self.metrics {
      let label = problem.truths.labels[g]
      let m = assignment.metric(problem.scores[a, label], Self.overlaps[g][a])
      #expect(isClose(m, want))
    }
    for matching in [assignment.reference(problem), assignment.optimized(problem)] {
      #expect(matching.owners == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
      #expect(zip(matching.labels, Self.labels).allSatisfy { isClose($0, $1) })
      #expect(isClose(matching.labels.reduce(0, +), 2.045256854451230))
    }
  }

  /// As mmdetection normalizes.
  @Test func termsAndGradientsOfTheExample() throws {
    var objective = TOOD()
    objective.normalizer = .atLeastOne
    let reference = try ReferenceEvaluator().evaluate(objective, Self.scene)
    let double = try KernelEvaluator<Double>().evaluate(objective, Self.scene)
    let float = try KernelEvaluator<Float>().evaluate(objective, Self.scene)
    for (result, tolerance) in [(reference, 5e-12), (double, 5e-12), (float, 2e-6)] {
      #expect(isClose(result.terms[0], 4.251758183430050, tolerance))
      #expect(isClose(result.terms[1], 1.0166848763667489, tolerance))
      let sums = result.gradients.map { head in head.data.reduce(0, +) }
      let sizes = result.gradients.map { head in head.data.map(\.magnitude).reduce(0, +) }
      #expect(isClose(sizes[0], 26.396187700718, tolerance))
      #expect(isClose(sums[0], 25.116444244293, tolerance))
      #expect(isClose(sizes[1], 0.233009230286, tolerance))
      #expect((sums[1] - -0.024146092301).magnitude < tolerance)
    }
    #expect(isClose(reference.gradients[0][0, 0, 0], 0.03216986618277115))
    #expect(isClose(reference.gradients[1][0, 2, 0], 0.03399169789963134))
  }

  /// Σ n is above 1, so that the two rules differ by the single-precision epsilon alone.
  @Test func mmdetectionsNormalizer() throws {
    var objective = TOOD()
    let original = try ReferenceEvaluator().evaluate(objective, Self.scene)
    objective.normalizer = .atLeastOne
    let other = try ReferenceEvaluator().evaluate(objective, Self.scene)
    for (a, b) in zip(original.terms, other.terms) { #expect(isClose(b * (1 + 0x1p-23), a)) }

    // Of one far anchor alone Σ n is small: the original divides by it, the port by 1.
    var scene = Self.scene
    scene.truths.images[0] = ImageTruths([Box(x1: 14, y1: 14, x2: 31, y2: 18)], labels: [1])
    objective.normalizer = .sum
    let small = try ReferenceEvaluator().evaluate(objective, scene)
    objective.normalizer = .atLeastOne
    let port = try ReferenceEvaluator().evaluate(objective, scene)
    let n = TOODAssignment().optimized(TOOD().problem(scene.heads, scene.truths, 0)).labels
      .reduce(0, +)
    #expect(n > 0 && n < 1)
    #expect(isClose(small.terms[0] * n, port.terms[0] * (1 + 0x1p-23)))
  }

  /// A positive whose score is its label costs nothing, and pulls at nothing.
  @Test func aScoreThatIsItsLabelIsFree() throws {
    let box = Box<Double>(x1: 0, y1: 0, x2: 16, y2: 16)
    let epsilon = TOODAssignment().epsilon
    let scene = Scene(
      [Tensor([1, 1, 1], [1 - epsilon]), Tensor([1, 1, 4], box.corners)],
      TOOD.Truths([ImageTruths([box], labels: [0])], anchors: [box]))
    let result = try ReferenceEvaluator().evaluate(TOOD(), scene)
    #expect(result.terms[0] < 1e-30 && result.terms[1] == 0)
    #expect(result.gradients[0][0].magnitude < 1e-20)
  }

  // MARK: - Believed and false

  /// The focusing factor is part of the graph: held constant, the slope would be another.
  @Test func theFactorIsNotAConstant() throws {
    var scene = Self.scene
    scene.truths.images[0] = ImageTruths()
    scene.heads[0] = scene.heads[0].map { _ in 0.5 }
    let slope = try ReferenceEvaluator().evaluate(TOOD(), scene).gradients[0][0]
    // p² (−ln(1 − p)) at 1/2: 2 p (−ln(1 − p)) + p² / (1 − p), of which the factor alone has the last.
    #expect(isClose(slope, 0.6931471805599453 + 0.5))
  }

  /// Outside boxes take places among the k: a truth with a good anchor inside can get none.
  @Test func aTruthWithAnAnchorInsideCanGetNone() {
    var assignment = TOODAssignment()
    assignment.topk = 1
    let truth = Box<Double>(x1: 0, y1: 0, x2: 16, y2: 16)
    let problem = TOODAssignment.Problem(
      anchors: [
        Box(x1: 16, y1: 16, x2: 32, y2: 32), Box(x1: 0, y1: 0, x2: 16, y2: 16),
      ], boxes: [truth, Box(x1: 0, y1: 0, x2: 16, y2: 12)], scores: Tensor([2, 1], [0.9, 0.8]),
      truths: ImageTruths([truth], labels: [0]))
    #expect(assignment.reference(problem).owners == [nil, nil])
    assignment.topk = 2
    #expect(assignment.reference(problem).owners == [nil, 0])
  }

  /// A duplicated truth owns nothing; neither does one that a larger overlap outbids everywhere.
  @Test func aTruthCanBeOutbid() {
    var problem = TOOD().problem(Self.scene.heads, Self.scene.truths, 0)
    problem.truths.boxes.append(problem.truths.boxes[0])
    problem.truths.labels.append(problem.truths.labels[0])
    let matching = TOODAssignment().optimized(problem)
    #expect(!matching.picks[2].isEmpty && !matching.owners.contains(2))
  }

  /// The normalizer is the batch's: an image's share depends on the others.
  @Test func theBatchIsNotTheSumOrTheMeanOfItsImages() throws {
    var batch = Self.scene
    batch.heads = batch.heads.map { Tensor.images([$0, $0], like: $0) }
    batch.truths.images.append(ImageTruths())
    let both = try ReferenceEvaluator().evaluate(TOOD(), batch).terms[0]
    let one = try ReferenceEvaluator().evaluate(TOOD(), Self.scene).terms[0]
    var none = Self.scene
    none.truths.images[0] = ImageTruths()
    let empty = try ReferenceEvaluator().evaluate(TOOD(), none).terms[0]
    #expect(isClose(empty, 9.790348050605) && isClose(both, 9.038613715015))
    #expect(isClose(both, one + empty / 2.045256854451230))
    #expect((both - (one + empty) / 2).magnitude > 1)
  }
}
