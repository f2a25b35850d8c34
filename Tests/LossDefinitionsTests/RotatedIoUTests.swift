import LossDefinitions
import Testing

@Suite struct RotatedIoUTests {
  private func answers(_ item: Item, _ loss: RotatedIoU = RotatedIoU()) throws -> [Gradient<
    Double
  >] {
    [
      loss.gradient(at: item), try KernelEvaluator<Double>().evaluate(loss, [item])[0],
      try KernelEvaluator<Float>().evaluate(loss, [item])[0],
    ]
  }

  /// Boxes of which an implementation was reported to return another IoU, and their loss.
  ///
  /// Detectron2's angles are degrees and turn the other way.
  static let reported: [(where: String, shipped: Double, item: Item, loss: Double)] = [
    (
      "detectron2 2167", 0.5848,
      Item(
        [
          2563.74462890625, 1436.7901611328125, 2174.703369140625, 214.0950012207031,
          -2.0091941875349444,
        ],
        [
          2563.74462890625, 1436.790283203125, 2174.702880859375, 214.0949554443359,
          -2.0091943206929987,
        ]),
      1.0043e-6
    ),
    (
      "detectron2 2154", 0.600224,
      Item(
        [
          296.6620178222656, 458.73883056640625, 23.515729904174805, 47.677001953125,
          -0.001535046052321673,
        ],
        [296.66201, 458.73882, 23.51573, 47.67702, -0.0015350345304215329]), 1.10765e-6
    ),
    (
      "detectron2 1207", 0.2655,
      Item([160, 153, 230, 23, 0.6457718232379019], [190, 127, 80, 21, 0.8028514559173915]), 1
    ),
    (
      "detectron2 4961", 0.3688,
      Item(
        [1010.5, 860.00012207, 12.20655537, 48.82622528, -0.9600703719798427],
        [1022, 870.49993896, 10.81665134, 43.26660919, -0.9827936606943759]), 0.6312413427
    ),
    (
      "mmcv 2621", 1.0 / 3,
      Item(
        [0, 0, 180.6422271729, 136.3633728027, 0.9559648633],
        [0, 0, 180.6422271729, 136.3633728027, 0.9559648633]), 0
    ),
    (
      "rotated_maskrcnn 46", 1.0 / 3,
      Item(
        [672.4067, 290.7776, 791.0275, 38.9333, -0.5959496544104718],
        [672.4067, 290.7776, 791.0275, 38.9333, -0.5959496544104718]), 0
    ),
    (
      "rotated_maskrcnn 46, shifted", 0.9967,
      Item(
        [672.4067, 290.7776, 791.0275, 38.9333, -0.5959496544104718],
        [672.3, 290.7776, 791.0275, 38.9333, -0.5959496544104718]), 0.003294045432
    ),
    (
      "rotated_maskrcnn 9", 1.0 / 3,
      Item(
        [50.7325, 50.7325, 100.7325, 300.7325, 0.0593411945678072],
        [50.7325, 50.7325, 100.7325, 300.7325, 0.0593411945678072]), 0
    ),
    (
      "mmcv 2335", 0,
      Item([0, 0, 5, 10, 0.5235987755982988], [0, 0, 10, 5, 1.0471975511965976]), 0.5941725804
    ),
    (
      "mmcv 2952", -12128368,
      Item(
        [135.07, 406.72, 7.9445e-7, 1971.1, 1.7708],
        [151.008, 436.2173, 302.0159, 313.7347, 3.1184]),
      0.9999999974
    ),
    (
      "RRPN 44", 1.35, Item([46.83, 44.03, 3.9, 1.63, 0], [46.83, 44.03, 1.63, 3.9, 1.45]),
      0.1451663291
    ),
    (
      "Rotated_IoU 38", 0,
      Item([0, 0, 2, 2, 0.7853981633974483], [0, 0, 2, 2, 0.7853981633974483]), 0
    ),
    (
      "OpenPCDet 972", 3.0849284e-10,
      Item(
        [-49.3915, 17.5002, 6.41644, 2.78625, 3.13511],
        [-49.3915, 17.5002, 6.41644, 2.78625, 3.13511]), 0
    ),
  ]

  @Test(arguments: reported.indices)
  func reportedBoxes(_ index: Int) throws {
    let reported = Self.reported[index]
    let answers = try answers(reported.item)
    // The naive formula in Double; the kernels; Float's inputs are other boxes by their rounding.
    for (answer, tolerance) in zip(answers, [1e-9, 1e-10, 1e-6]) {
      #expect(abs(answer.value - reported.loss) <= tolerance, "\(reported.where): \(answer.value)")
      #expect(answer.prediction.allSatisfy { $0.isFinite }, "\(reported.where)")
    }
  }

  /// Identical boxes at any angle: exactly 0, and the mean of both sides' slopes.
  @Test func identical() throws {
    var random = SplitMix(seed: 6, "identical")
    for _ in 0..<200 {
      let box = [
        random.uniform(-500, 500), random.uniform(-500, 500), random.logarithmic(0.1, 500),
        random.logarithmic(0.1, 500), random.uniform(-4, 4),
      ]
      let item = Item(box, box).roundedToFloat
      for answer in try answers(item).dropFirst() {
        #expect(answer.value == 0 && answer.prediction.allSatisfy { abs($0) <= 1e-6 }, "\(item)")
      }
    }
  }

  /// Boxes alike to 1e-6, turned by as little: the Float kernel keeps its digits.
  @Test func digitsNearZero() throws {
    var random = SplitMix(seed: 8, "alike")
    for _ in 0..<100 {
      let t = [
        random.uniform(0, 8), random.uniform(0, 8), random.uniform(1, 8), random.uniform(1, 8),
        random.uniform(-0.75, 2.25),
      ]
      let p = t.map { $0 + random.sign() * random.logarithmic(1e-6, 1e-4) }
      let item = Item(p, t).roundedToFloat
      let truth = RotatedIoU().enclosure(ofGradientAt: item, widened: 0)
      let got = try KernelEvaluator<Float>().evaluate(RotatedIoU(), [item])[0]
      let value = truth.value.midpoint.hi
      #expect(abs(got.value - value) <= 8 * value * 0x1p-23, "\(item)")
      let scale = truth.prediction.map { abs($0.midpoint.hi) }.max() ?? 0
      for (a, b) in zip(got.prediction, truth.prediction) {
        #expect(abs(a - b.midpoint.hi) <= 8 * scale * 0x1p-23, "\(item)")
      }
    }
  }

  /// Against boxes of one angle, by the plain formula: common edges, inside, touching, apart.
  @Test func collinearEdges() throws {
    let target = [0.0, 0, 4, 2, 0]
    let cases: [([Double], Double)] = [
      ([1, 0, 2, 2, 0], 0.5), ([1, 0.5, 2, 1, 0], 0.75), ([4, 0, 4, 2, 0], 1),
      ([0, 2, 4, 2, 0], 1), ([4, 2, 4, 2, 0], 1), ([2, 0, 4, 2, 0], 2.0 / 3),
      ([0, 0, 8, 4, 0], 0.75), ([9, 0, 4, 2, 0], 1), ([0, 0.5, 4, 1, 0], 0.5),
      ([0, 0, 2, 4, 0], 2.0 / 3),
    ]
    for (prediction, loss) in cases {
      for answer in try answers(Item(prediction, target)) {
        #expect(abs(answer.value - loss) <= 1e-7, "\(prediction): \(answer.value)")
        #expect(answer.prediction.allSatisfy { $0.isFinite }, "\(prediction)")
      }
    }
  }

  /// (w, h, θ) and (h, w, θ + π/2), θ + π: the same box.
  @Test func anotherName() throws {
    var random = SplitMix(seed: 7, "names")
    for _ in 0..<200 {
      func box() -> [Double] {
        [
          random.uniform(0, 4), random.uniform(0, 4), random.uniform(1, 6), random.uniform(1, 6),
          random.uniform(-1, 2),
        ]
      }
      let item = Item(box(), box())
      let (p, quarter) = (item.prediction, 0.5 * Double.pi)
      let kernel = KernelEvaluator<Double>()
      let first = try kernel.evaluate(RotatedIoU(), [item])[0]
      let renamed = Item([p[0], p[1], p[3], p[2], p[4] + quarter], item.target)
      let turned = Item(Array(p[..<4]) + [p[4] + 2 * quarter], item.target)
      for other in try kernel.evaluate(RotatedIoU(), [renamed, turned]) {
        #expect(abs(other.value - first.value) <= 1e-14)
      }
    }
  }

  @Test func withoutArea() throws {
    let flat = [1.0, 1, 0, 2, 0.3]
    for item in [
      Item(flat, [1, 1, 2, 2, 0]), Item([1, 1, 2, 2, 0], flat), Item(flat, flat),
      Item([1, 1, 0, 0, 0], [1, 1, 0, 0, 0]),
    ] {
      for answer in try answers(item).dropFirst() {
        #expect(answer.value == 1 && answer.prediction.allSatisfy { $0.isFinite }, "\(item)")
      }
    }
  }

  @Test func notANumberStaysInItsItem() throws {
    let good = Item([1, 2, 3, 4, 0.5], [2, 2, 4, 4, 1])
    for k in 0..<5 {
      var bad = good
      bad.prediction[k] = .nan
      let answers = try KernelEvaluator<Float>().evaluate(RotatedIoU(), [good, bad, good])
      #expect(answers[1].value.isNaN, "\(k)")
      #expect(answers[0].value == answers[2].value && answers[0].value.isFinite)
    }
  }

  /// Without a floor −ln IoU of boxes apart is infinite, with one it is the floor's.
  @Test func apart() throws {
    let item = Item([0, 0, 2, 1, 0.5], [9, 9, 2, 1, 1])
    for answer in try answers(item, RotatedIoU(.logarithmic)).dropFirst() {
      #expect(answer.value == .infinity && answer.prediction == [0, 0, 0, 0, 0])
    }
    for answer in try answers(item, RotatedIoU(.logarithmic, floor: 1e-6)) {
      #expect(abs(answer.value - 13.815511) <= 1e-5 && answer.prediction == [0, 0, 0, 0, 0])
    }
  }
}
