import LossDefinitions
import Testing

@Suite struct CenterNetTests {
  static let worked = CenterNet.worked[0]

  @Test func workedScenes() throws {
    try expectWorked(
      CenterNet.self, "worked",
      terms: [25.825376101969, 0.1 * 3.308278195363, 0.420826319561],
      absolute: [31.467360134110, 0.099998333361, 0.999983333611],
      sums: [31.133617878729, 0.033332777787, 0])
    // Undivided: the sum over all pixels of both images.
    try expectWorked(
      CenterNet.self, "without truths", terms: [79.666720072809, 0, 0],
      absolute: [96.740162088731, 0, 0])
  }

  @Test func targets() {
    let (objective, scene) = (Self.worked.objective, Self.worked.scene)
    let decisions = objective.decide(scene.heads, scene.truths)
    let objects = decisions.objects
    #expect(objects.map(\.x) == [3, 5, 6] && objects.map(\.y) == [3, 3, 0])
    #expect(objects.map(\.radius) == [1, 1, 0] && objects.map(\.label) == [1, 2, 1])
    #expect(objects.map(\.offset) == [[0.125, 0.875], [0, 0.75], [0.5, 0.875]])
    // The third box is clipped at 7.
    #expect(objects.map(\.size) == [[5.25, 5.25], [3.5, 3.5], [1, 1.25]])
    let map = decisions.heatmap
    expectClose(
      [map[0, 1, 3, 3], map[0, 1, 3, 2], map[0, 1, 2, 2], map[0, 1, 0, 6], map[0, 2, 2, 5]],
      [1, .exp(-2), .exp(-4), 1, .exp(-2)])
    expectClose([map.data.reduce(0, +)], [3 + 8 * .exp(-2) + 8 * .exp(-4)])
  }

  @Test func radii() {
    let sizes = [(10.0, 10.0), (6, 6), (5, 20), (30, 40)]
    func radii(_ rule: CenterNet.RadiusRule, _ overlap: Double) -> [Double] {
      var objective = CenterNet()
      (objective.radiusRule, objective.minimumOverlap) = (rule, overlap)
      return sizes.map { objective.radius(width: $0.0, height: $0.1) }
    }
    expectClose(
      radii(.legacy, 0.7), [2.733200530682, 1.639920318409, 2.254746265138, 9.386642307980])
    expectClose(
      radii(.corrected, 0.7), [0.816699867330, 0.490019920398, 0.631948736439, 2.794558830147])
    expectClose(
      radii(.corrected, 0.3), [2.261387212474, 1.356832327485, 1.606456094748, 7.689291564826])
  }

  /// Believed: the heat map is divided by the number of objects. It is divided by pixels that are 1.
  @Test func twoObjectsInAPixelCountOnce() throws {
    let scene = Self.worked.scene
    let first = scene.truths[0].boxes[0]
    let second = Box(x1: 1.5, y1: 1.25, x2: 5.25, y2: 6.5)
    let one = Scene(scene.heads, [ImageTruths([first], labels: [1]), ImageTruths()])
    let two = Scene(scene.heads, [ImageTruths([first, second], labels: [1, 1]), ImageTruths()])
    let single = try ReferenceEvaluator().evaluate(CenterNet(), one)
    let double = try ReferenceEvaluator().evaluate(CenterNet(), two)
    #expect(double.decisions.objects.count == 2)
    #expect(double.decisions.heatmap.data.count { $0 == 1 } == 1)
    expectClose(single.terms, [78.783698405960, 0.594970251487, 0.099995000250])
    expectClose(double.terms, [78.783698405960, 0.557486062848, 0.149996250094])
  }

  @Test func whatIsOutsideOrFlatIsDropped() {
    let heads = Self.worked.scene.heads
    let truths = ImageTruths(
      [
        Box(x1: 9, y1: 1, x2: 12, y2: 3), Box(x1: 2, y1: 4, x2: 2, y2: 6),
        Box(x1: -4, y1: -2, x2: 1, y2: 1), Box(x1: -1e300, y1: 0, x2: 1e300, y2: 2),
      ], labels: [0, 0, 0, 0])
    let objects = CenterNet().decide(heads, [truths, ImageTruths()]).objects
    #expect(objects.map(\.index) == [2, 3])
    #expect(objects[0].size == [1, 1] && objects[1].size == [7, 2])
  }

  @Test func refusals() {
    let (heads, truths) = (Self.worked.scene.heads, Self.worked.scene.truths)
    func refused(
      _ argument: String, image: Int? = nil, index: Int? = nil,
      _ change: (inout [Tensor], inout [ImageTruths]) -> Void
    ) {
      var (heads, truths) = (heads, truths)
      change(&heads, &truths)
      expectRefusal(CenterNet(), heads, truths, argument, image: image, index: index)
    }
    refused("heads") { heads, _ in heads.removeLast() }
    refused("size") { heads, _ in heads[1].shape = [2, 2, 4, 16] }
    refused("heatmap", image: 1, index: 2) { heads, _ in heads[0].data[194] = .nan }
    refused("offset", image: 0, index: 5) { heads, _ in heads[2].data[5] = -.infinity }
    refused("boxes", image: 0, index: 1) { _, truths in truths[0].boxes[1].x2 = 0 }
    refused("labels", image: 0, index: 2) { _, truths in truths[0].labels[2] = 3 }
    var odd = CenterNet()
    odd.minimumOverlap = 1
    expectRefusal(odd, heads, truths, "minimumOverlap")
    odd = CenterNet()
    odd.probabilityFloor = 0
    expectRefusal(odd, heads, truths, "probabilityFloor")
  }
}
