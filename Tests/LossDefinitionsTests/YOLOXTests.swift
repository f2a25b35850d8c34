import LossDefinitions
import Testing

@Suite struct YOLOXTests {
  static let worked = YOLOX.worked[0]

  @Test func workedScenes() throws {
    try expectWorked(
      YOLOX.self, "worked",
      terms: [4.040258736900, 7.476624567853, 2.120795527695, 1.219036048046],
      absolute: [10.753430903295, 2.834575167376])
    try expectWorked(
      YOLOX.self, "without truths", terms: [0, 32.781498271412, 0, 0],
      absolute: [16.296909005433, 4.348291233882])
    let result = try ReferenceEvaluator().evaluate(Self.worked.objective, Self.worked.scene)
    let all = result.gradients.flatMap(\.data)
    expectClose(
      [all.reduce(0) { $0 + $1.magnitude }, all.reduce(0, +)], [13.588006070672, 3.095680671937])
  }

  @Test func assignment() {
    let decisions = Self.worked.objective.decide(Self.worked.scene.heads, Self.worked.scene.truths)
    let matching = decisions.matchings[0]
    #expect(matching.candidates == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19])
    expectClose(
      matching.overlaps[0],
      [
        0.12589260612332012, 0.26439892498328205, 0.23235698968169885, 0.28227506081696896,
        0.5612581337016932, 0.47769456234890134, 0.19701500185892884, 0.0883426682668404,
        0.24889049709964314, 0.17436699671304387, 0.0055034970707763895, 0.03272766541549883,
        0.02207427282800219, 0.0003160604013774284, 0.34413323905376236, 0.21954728840412419,
        0.18286623571005348, 0.11248325635653048,
      ])
    // The release adds 10^6 outside the window.
    let penalized = zip(matching.costs, matching.isInside).map { costs, inside in
      zip(costs, inside).map { $1 ? $0 : $0 + 1e6 }
    }
    expectClose(
      penalized[0],
      [
        8.898175588548105, 6.694107180299981, 7.104870587861333, 6.571029775060769,
        4.535894080295531, 5.047457258471206, 1000007.7336351387, 10.17006926492257,
        7.094118301989579, 8.19423477501937, 1000018.5952665338, 1000013.3175366634,
        1000014.5360149149, 1000026.4273337115, 5.4715394132568305, 6.843669535034128,
        7.416934818230931, 8.900691628977084,
      ])
    expectClose(
      penalized[1],
      [
        1000017.2261876112, 1000012.5809098099, 1000010.462146476, 1000010.026000473,
        6.2431120547839, 4.343691594073715, 4.955636153867289, 1000057.0650607499,
        7.158521645947802, 4.63858820548775, 5.482606281425422, 10.146018993034247,
        8.258241794102979, 9.858607802673138, 8.635300392918104, 5.525310192502419,
        8.824338048930322, 6.176844928184442,
      ])
    #expect(matching.dynamicK == [3, 2])
    #expect(matching.picks == [[5, 6, 16], [6, 10]])
    #expect(matching.conflicts == [6])
    let owned = matching.owners.enumerated().compactMap { a, owner in owner.map { [a, $0] } }
    #expect(owned == [[5, 0], [6, 1], [10, 1], [16, 0]])
    #expect(decisions.matchings[1].owners == [Int?](repeating: nil, count: 20))
  }

  /// Believed: every truth keeps a prediction. Two of three pick prediction 9; it costs truth 0 less.
  @Test func aTruthMayEndWithNothing() throws {
    let truths = CenteredTruths(
      rows: [[10, 16, 11, 23, 0], [23, 20, 14, 11, 1], [8, 20, 21, 8, 1]])
    let scene = Scene(Self.worked.scene.heads, [truths, CenteredTruths()])
    let matching = Self.worked.objective.decide(scene.heads, scene.truths).matchings[0]
    #expect(matching.dynamicK == [2, 1, 1])
    #expect(matching.picks == [[9, 16], [11], [9]])
    #expect(matching.conflicts == [9])
    #expect(Set(matching.owners.compactMap { $0 }) == [0, 1])
    let place = try #require(matching.candidates.firstIndex(of: 9))
    expectClose([0, 2].map { matching.costs[$0][place] }, [4.636370600813, 5.453225467275])
  }

  /// 10^6 + cost in Float is a multiple of 1/16: an order by the sum is not one by the cost.
  @Test func penaltyLosesTheCostInFloat() {
    #expect(Float(1e6) + 5.01 == Float(1e6) + 5.03)
    #expect(Float(1e6).ulp == 0.0625)
  }

  @Test func noCandidate() throws {
    let truths = CenteredTruths(rows: [[200, 200, 20, 20, 1]])
    let scene = Scene(Self.worked.scene.heads, [truths, CenteredTruths()])
    for evaluator in [ReferenceEvaluator(), KernelEvaluator<Double>()] as [any Evaluator] {
      let result = try evaluator.evaluate(Self.worked.objective, scene)
      #expect(result.decisions.matchings[0].candidates.isEmpty)
      expectClose(result.terms, [0, 32.781498271412, 0, 0])
    }
  }

  @Test func identicalTruths() {
    let row = [12.0, 13, 18, 20, 0]
    let truths = CenteredTruths(rows: [row, row])
    let heads = Self.worked.scene.heads
    let matching = Self.worked.objective.decide(heads, [truths, CenteredTruths()]).matchings[0]
    #expect(Set(matching.owners.compactMap { $0 }) == [0])
    #expect(matching.conflicts.count == matching.dynamicK[0])
  }

  @Test func refusals() {
    let (heads, truths) = (Self.worked.scene.heads, Self.worked.scene.truths)
    func refused(
      _ argument: String, image: Int? = nil, index: Int? = nil,
      _ change: (inout [Tensor], inout [CenteredTruths]) -> Void
    ) {
      var (heads, truths) = (heads, truths)
      change(&heads, &truths)
      expectRefusal(
        Self.worked.objective, heads, truths, argument, image: image, index: index)
    }
    refused("heads") { heads, _ in heads.removeLast() }
    refused("stride 16.0") { heads, _ in heads[1].shape = [2, 1, 8, 4] }
    refused("stride 8.0", image: 1, index: 4) { heads, _ in heads[0].data[132] = .nan }
    refused("stride 16.0", image: 0, index: 10) { heads, _ in heads[1].data[10] = 400 }
    refused("boxes", image: 0, index: 1) { _, truths in truths[0].boxes[1].h = -2 }
    refused("labels", image: 0, index: 0) { _, truths in truths[0].labels[0] = 3 }
    var odd = Self.worked.objective
    odd.assignment.overlapCount = -1
    expectRefusal(odd, heads, truths, "overlapCount")
    expectRefusal(YOLOX(strides: [8, 0]), heads, truths, "strides")
  }
}
