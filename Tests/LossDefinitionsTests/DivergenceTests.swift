import LossDefinitions
import Testing

/// Numbers that careful readers of the frameworks computed independently, and the places where one
/// name stands for several functions. Losses are named as in the catalog, framework functions as their
/// dialects: each side of a divergence is the same definition under other settings.
@Suite struct DivergenceTests {
  @Test(arguments: Row.goldenNumbers)
  func goldenNumber(_ row: Row) throws { try row.check() }

  @Test(arguments: Row.divergences)
  func divergence(_ row: Row) throws { try row.check() }

  /// What the table of divergences has and this catalog does not, and why.
  @Test func rowsThatAreNotExpressed() {
    for (id, reason) in Row.notExpressed { print("\(id): \(reason)") }
    let ids = Row.divergences.map { String($0.id.prefix { $0 != " " }) }
    let known = Set(ids).union(Row.notExpressed.map { String($0.id.prefix { $0 != " " }) })
    let missing = (1...32).map { "D\($0)" }.filter { !known.contains($0) }
    #expect(missing.isEmpty)
    #expect(Set(ids).count == ids.count)
  }
}

/// A numbered row: what is computed, and what it must be.
struct Row: Sendable, CustomTestStringConvertible {
  let id: String
  let claims: [Claim]

  struct Claim: Sendable {
    let what: String
    let wanted: [Double]
    let found: @Sendable () throws -> [Double]
  }

  init(_ id: String, _ claims: Claim...) {
    self.id = id
    self.claims = claims
  }

  var testDescription: String { id }

  /// Six digits, as the numbers are printed.
  func check() throws {
    for claim in claims {
      let found = try claim.found()
      #expect(found.count == claim.wanted.count, "\(id), \(claim.what): \(found)")
      for (a, b) in zip(found, claim.wanted) {
        let allowance = 1e-6 * max(1, b.magnitude)
        #expect(abs(a - b) <= allowance, "\(id), \(claim.what): \(found), not \(claim.wanted)")
      }
    }
  }
}

extension Row {
  /// The values of a loss of the catalog at pairs, under a labelled configuration and settings.
  static func values(
    _ name: String, _ wanted: [Double], _ pairs: [Item], _ configuration: String = "default",
    _ settings: [String: Double] = [:]
  ) -> Claim {
    Claim(what: "\(name), \(configuration) \(settings)", wanted: wanted) {
      try pairs.map { try gradient(name, $0, configuration, settings).value }
    }
  }

  static func value(
    _ name: String, _ wanted: Double, _ p: [Double], _ t: [Double],
    _ configuration: String = "default", _ settings: [String: Double] = [:]
  ) -> Claim {
    values(name, [wanted], [Item(p, t)], configuration, settings)
  }

  static func slopes(
    _ name: String, _ wanted: [Double], _ p: [Double], _ t: [Double],
    _ configuration: String = "default", _ settings: [String: Double] = [:],
    reading: @escaping @Sendable ([Double]) -> [Double] = { $0 }
  ) -> Claim {
    Claim(what: "gradient of \(name), \(configuration) \(settings)", wanted: wanted) {
      reading(try gradient(name, Item(p, t), configuration, settings).prediction)
    }
  }

  /// A framework's function of one pair of boxes.
  static func call(
    _ peer: String, _ function: String, _ wanted: Double, _ p: [Double], _ t: [Double],
    _ parameters: [String: Parameter] = [:], slope coordinate: Int? = nil
  ) -> Claim {
    Claim(what: "\(peer) \(function)", wanted: [wanted]) {
      let dialect = try dialect(peer, function)
      let call = Call(
        parameters: parameters,
        inputs: [
          dialect.inputs[0]: Tensor([1, p.count], p), dialect.inputs[1]: Tensor([1, t.count], t),
        ], reduction: "none")
      let answer = try dialect.answer(call, with: ReferenceEvaluator())
      if let coordinate { return [try #require(answer.gradients[dialect.inputs[0]])[coordinate]] }
      return try #require(answer.value).data
    }
  }

  static func dialect(_ peer: String, _ function: String) throws -> Dialect {
    let dialects = definitions.flatMap { $0.dialects }
    return try #require(dialects.first { $0.peer == peer && $0.function == function })
  }

  static func number(
    _ what: String, _ wanted: Double, _ found: @escaping @Sendable () throws -> Double
  ) -> Claim {
    Claim(what: what, wanted: [wanted]) { [try found()] }
  }

  static func gradient(
    _ name: String, _ item: Item, _ configuration: String = "default",
    _ settings: [String: Double] = [:]
  ) throws -> Gradient<Double> {
    func gradient<E: CatalogEntry>(_ entry: E) throws -> Gradient<Double> {
      var loss = try #require(
        E.L.configurations.first { $0.label == configuration }, "\(name): \(configuration)"
      ).loss
      for (setting, value) in settings {
        let parameter = try #require(E.L.hyperparameters.first { $0.name == setting })
        loss[keyPath: parameter.path] = value
      }
      return loss.gradient(at: item)
    }
    let entry = try #require(catalog.first { $0.loss.name == name }, "no loss \(name)")
    return try gradient(entry)
  }
}

// MARK: - Golden numbers

extension Row {
  private static let a: [Double] = [0, 0, 10, 10]
  private static let b: [Double] = [2, 1, 12, 6]
  private static let t: [Double] = [0, 0, 100, 100]

  private static let b1 = [
    Item([-1, -1, 1, 1], [0, 0, 1, 1]), Item([-1, -1, 1, 1], [0, 1, 1, 2]),
    Item([-1, -1, 1, 1], [1, 1, 2, 2]),
  ]
  private static let addons = [
    Item([4, 3, 7, 5], [3, 4, 6, 8]), Item([5, 6, 10, 7], [14, 14, 15, 15]),
  ]
  /// A quarter of the target's area: in a corner, at the middle of an edge, in the centre.
  private static let quarters = [
    Item([0, 0, 5, 5], a), Item([2.5, 0, 7.5, 5], a), Item([2.5, 2.5, 7.5, 7.5], a),
  ]
  private static let rotated = Item([0, 0, 10, 4, 0.3], [1, 0.5, 8, 5, 0.5])
  private static let steps = [0.05, 0.5, 1.5].map { Item([$0], [0]) }

  /// Logits whose softmax is p, apart from the entries of 0.
  private static func logits(_ p: [Int: Double], bins: Int = 17) -> [Double] {
    (0..<bins).map { p[$0].map { Double.log($0) } ?? -1000 }
  }

  static let goldenNumbers: [Row] = [
    Row(
      "G1 A and B",
      value("iou", 0.6363636, a, b), value("giou", 0.7196970, a, b),
      value("diou", 0.6619784, a, b), value("ciou", 0.6645735, a, b),
      value("eiou", 0.9119784, a, b), value("nwd", 0.2413491, a, b),
      value("mpdiou", 0.636394, a, b), value("siou", 0.6741499, a, b),
      value("alpha_iou", 0.396977, a, b, "iou, alpha = 0.5"),
      value("alpha_iou", 0.867769, a, b, "iou, alpha = 2.0"),
      value("alpha_iou", 0.951916, a, b, "iou, alpha = 3.0"),
      value("alpha_iou", 0.952495, a, b, "giou, alpha = 3.0")),
    Row(
      "G2 small boxes",
      values("giou", [0.75, 1.1666667, 1.4444444], b1),
      values("diou", [0.8125, 1.1923077, 1.25], b1),
      values("ciou", [0.8125, 1.1923077, 1.25], b1),
      values("eiou", [1.3125, 1.5534188, 1.4722222], b1)),
    Row(
      "G3 TensorFlow Addons' own example", values("giou", [1.075, 1.9333333], addons),
      number("mean", 1.5041667) {
        try addons.reduce(0) { $0 + (try gradient("giou", $1).value) / 2 }
      }),
    Row(
      "G4 nested quarters", values("diou", [0.8125, 0.78125, 0.75], quarters),
      values("giou", [0.75, 0.75, 0.75], quarters), values("iou", [0.75, 0.75, 0.75], quarters)),
    Row(
      "G7 rotated boxes", values("probiou", [0.237181], [rotated]),
      values("gwd", [0.572901], [rotated]), values("gwd", [0.626945], [rotated], "root"),
      values("gwd", [0.235642], [rotated], "MMRotate's"),
      number("the squared Wasserstein distance", 2.824307) {
        let distance = try gradient("gwd", rotated, "distance").value
        return distance * distance
      },
      values("kld", [0.180800], [rotated], "divergence"),
      values("kld", [0.170141], [rotated], "divergence from the target"),
      values("kfiou", [1 - 0.318549], [rotated])),
    Row(
      "G8 keypoints",
      values(
        "oks", [0.060587, 0.060587],
        [Item([1, 0], [0, 0, 0.05, 800]), Item([0, 2], [0, 0, 0.1, 800])])),
    Row(
      "G9 least distribution focal losses",
      value("dfl", 0.562335, logits([3: 0.75, 4: 0.25]), [3.25]),
      value("dfl", 0.693147, logits([3: 0.5, 4: 0.5]), [3.5]),
      value("dfl", 0, logits([3: 1]), [3]),
      value("dfl", 2.772589, [Double](repeating: 0, count: 16), [3.25]),
      value("dfl", 2.833213, [Double](repeating: 0, count: 17), [3.25])),
    Row(
      "G10 coordinates at a knee of 1/2",
      values("smooth_l1", [0.0025, 0.25, 1.25], steps, "default", ["beta": 0.5]),
      values("huber", [0.00125, 0.125, 0.625], steps, "default", ["delta": 0.5]),
      values("log_cosh", [4.99999999e-9, 4.49999997e-8], [Item([1e-4], [0]), Item([3e-4], [0])]),
      number("GHM-R's mean without weights", 0.062919) {
        try [0.001, 0.001, 0.001, 0.05, 0.3].reduce(0) {
          $0 + (try gradient("ghm_r", Item([$1], [0])).value) / 5
        }
      }),
    Row(
      "G11 limits",
      value("eiou", 3.249996, [0, 0, 1e-6, 1e-6], [0, 0, 1, 1]),
      number("the least distance of CIoU from 5/2", 0) {
        let far = Item([0, 0, 1, 1e6], [1e14, 1e14, 1e14 + 1e6, 1e14 + 1])
        return (2.5 - (try gradient("ciou", far).value)) * 0.1
      },
      number("the peak of Powerful-IoU v2's attention", 1.286646) {
        MappedOverlap.Mapping.powerfulIoU().score(1 / (1.3 * Double(2).squareRoot()))
      },
      number("the constant of Balanced L1", -0.4214065) {
        try gradient("balanced_l1", Item([2], [0])).value - 3
      }),
  ]
}

// MARK: - Same name, different function

extension Row {
  private static let efficient = [
    Item(b, a), Item([5, 5, 15, 15], a), Item([20, 20, 30, 30], a), Item([2, 2, 8, 8], a),
  ]
  private static let half: [Double] = [0, 0, 10, 5]
  private static let low: [Double] = [0, 0, 100, 45]
  private static let thin: [Double] = [1000, 1000, 1100, 1001]
  private static let tall: [Double] = [0, 0, 1, 100]
  private static let tiny: [Double] = [0, 0, 1e-3, 1e-3]
  private static let same = Item([0, 0, 10, 4, 0.3], [0, 0, 10, 4, 0.3])
  private static let fourDigits: @Sendable ([Double]) -> [Double] = {
    $0.map { ($0 * 1e4).rounded() / 1e4 }
  }
  private static let xyxy: [String: Parameter] = ["format": .text("xyxy")]

  /// Ultralytics' loss of four equal sides.
  private static func saturated(_ side: Double) throws -> Double {
    let row = (0..<16).map { 0.1 * Double($0) }
    let call = Call(
      parameters: [:],
      inputs: [
        "pred_dist": Tensor([4, 16], row + row + row + row),
        "target": Tensor([1, 4], [side, side, side, side]),
      ], reduction: "none")
    let answer = try dialect("ultralytics", "DFLoss").answer(call, with: ReferenceEvaluator())
    return try #require(answer.value).data[0]
  }

  static let divergences: [Row] = [
    Row(
      "D1 IoU loss", call("mmdet", "iou_loss_log", 0.693147, half, a),
      call("mmdet", "iou_loss_square", 0.75, half, a),
      number("PaddleDetection's, 2.5 (1 − IoU²)", 1.875) {
        2.5 * (try gradient("iou", Item(half, a), "square").value)
      },
      call("ultralytics", "bbox_iou_IoU", 1 - 0.5, half, a, xyxy)),
    Row(
      "D2 CIoU's value", call("torchvision", "complete_box_iou_loss", 0.592516, low, t),
      call("ultralytics", "bbox_iou_CIoU", 1 - 0.592516, low, t, xyxy),
      call("mmdet", "ciou_loss", 0.587813, low, t),
      call("keras", "keras_cv_CIoULoss", 0.588628, low, t)),
    Row(
      "D3 CIoU of identical boxes", call("torchvision", "complete_box_iou_loss", 0, a, a),
      call("ultralytics", "bbox_iou_CIoU", 1, a, a, xyxy), value("ciou", 0, a, a)),
    Row(
      "D4 CIoU's gradient",
      call("torchvision", "complete_box_iou_loss", -0.011591, low, t, slope: 3),
      call("keras", "compute_ciou", 0.011710, low, t, slope: 3),
      call("mmdet", "ciou_loss", -0.011375, low, t, slope: 3)),
    Row(
      "D5 CIoU clamped", value("ciou", 2.387479, thin, tall),
      slopes("ciou", [4e-4, 6.6e-3, -3.6e-4, -6.6e-3], thin, tall) {
        $0.map { ($0 * 1e5).rounded() / 1e5 }.enumerated().map { i, g in
          // The numbers are printed to two digits.
          abs(g - [4e-4, 6.6e-3, -3.6e-4, -6.6e-3][i]) < 5e-5
            ? [4e-4, 6.6e-3, -3.6e-4, -6.6e-3][i] : g
        }
      },
      number("mmdet's gate, to 5 digits", 0) {
        abs(try gradient("ciou", Item(thin, tall), "gated").value - 1.9064) < 5e-5 ? 0 : 1
      }),
    Row(
      "D7 PaddleDetection's DIouLoss", value("ciou", 0.664574, a, b), value("diou", 0.661978, a, b)),
    Row(
      "D8 EIoU",
      values("eiou", [0.911978, 0.968254, 1.444444, 0.96], efficient),
      values("extended_iou", [0.586364, 0.807143, 1.7, 0.59], efficient),
      call("mmdet", "eiou_loss", 0.586364, b, a)),
    Row(
      "D9 SIoU",
      values("siou", [0.674150, 0.962304, 1.358820], Array(efficient[..<3])),
      value("siou", 1.448469, [100, 3, 110, 13], a),
      call("mmdet", "siou_loss", 0.621855, b, a),
      call("mmdet", "siou_loss", 0.739624, [5, 5, 15, 15], a),
      call("mmdet", "siou_loss", 0.440377, [20, 20, 30, 30], a),
      call("mmdet", "siou_loss", 0, [100, 3, 110, 13], a),
      call("mmdet", "siou_loss", 0, [100, 3, 110, 13], a, slope: 0),
      call("mmdet", "siou_loss", 1.448469, [100, 3, 110, 13], a, ["neg_gamma": .flag(true)])),
    Row("D10 SIoU of concentric boxes", value("siou", 0.651813, [2, 2, 8, 8], a)),
    Row(
      "D11 GIoU of identical boxes without height",
      call("torchvision", "generalized_box_iou_loss", 1, [0, 5, 640, 5], [0, 5, 640, 5]),
      call("ultralytics", "bbox_iou_GIoU", 1 + 1279, [0, 5, 640, 5], [0, 5, 640, 5], xyxy)),
    Row(
      "D13 CIoU of a point",
      call("mmdet", "ciou_loss", 1, [5, 5, 5, 5], a, ["eps": .number(1e-6)]),
      call("ultralytics", "bbox_iou_CIoU", 1 - 1.05, [5, 5, 5, 5], a, xyxy)),
    Row(
      "D14 identical boxes of side 0.001",
      number("torchvision's CIoU, to 4 digits", 0.0909) {
        let found = try call("torchvision", "complete_box_iou_loss", 0, tiny, tiny).found()[0]
        return (found * 1e4).rounded() / 1e4
      },
      call("mmdet", "giou_loss", 0, tiny, tiny),
      call("mmdet", "ciou_loss", 0.5, tiny, tiny, ["eps": .number(1e-6)]),
      number("KerasCV's CIoU, to 4 digits", 0.1668) {
        let found = try call("keras", "keras_cv_CIoULoss", 0, tiny, tiny).found()[0]
        return (found * 1e4).rounded() / 1e4
      }),
    Row(
      "D15 PaddleDetection's 1 − GIoU² falls as boxes part",
      Claim(what: "1 − GIoU²", wanted: [0.9977, 0.96, 0.8889, 0.64, 0.3306]) {
        try [11, 15, 20, 40, 100].map { dx in
          let loss = try gradient("giou", Item([dx, 0, dx + 10, 10], a)).value
          return ((1 - (1 - loss) * (1 - loss)) * 1e4).rounded() / 1e4
        }
      },
      number("1 − GIoU at 11", 1.047619) {
        try gradient("giou", Item([11, 0, 21, 10], a)).value
      },
      number("1 − GIoU at 100", 1.818182) {
        try gradient("giou", Item([100, 0, 110, 10], a)).value
      }),
    Row(
      "D16 a knee of 1/2 at 3/2", value("smooth_l1", 1.25, [1.5], [0], "default", ["beta": 0.5]),
      value("huber", 0.625, [1.5], [0], "default", ["delta": 0.5])),
    Row(
      "D17 Balanced L1",
      value("balanced_l1", -0.005027, [0.05], [0], "Libra's form, beta = 2.0"),
      value("balanced_l1", 0.005193, [0.05], [0], "default", ["beta": 2])),
    Row(
      "D18 Bounded IoU's cost of x",
      value(
        "bounded_iou", 0.571734, [0.2, 0, 1.2, 1], [0, 0, 1, 1], "default",
        ["beta": 0, "epsilon": 1e-3, "weightY": 0, "weightW": 0, "weightH": 0]),
      value(
        "bounded_iou", 0.333056, [0.2, 0, 1.2, 1], [0, 0, 1, 1], "author's, beta = 0",
        ["epsilon": 1e-3, "weightY": 0, "weightW": 0, "weightH": 0])),
    Row(
      "D19 ProbIoU of identical boxes",
      value(
        "probiou", 4.472e-4, [0, 0, 10, 4, 0.3], [0, 0, 10, 4, 0.3], "default", ["epsilon": 1e-7]),
      number("PaddleDetection's, to 3 digits", 0.0447) {
        let item = Item([0, 0, 10, 4, 0.3], [0, 0, 10, 4, 0.3])
        let found = try gradient("probiou", item, "default", ["epsilon": 1e-3]).value
        return (found * 1e4).rounded() / 1e4
      }),
    Row(
      "D20 KLD", values("kld", [0.345348], [rotated], "MMRotate's"),
      values("kld", [0.375520], [rotated], "MMRotate's first version"),
      values("kld", [0.235860], [rotated], "MMRotate's first version, logarithm"),
      values("kld", [0.142508], [rotated])),
    Row(
      "D21 KFIoU of identical boxes", values("kfiou", [0.666667], [same]),
      values("kfiou", [1.098612], [same], "logarithmic"),
      values("kfiou", [0.947734], [same], "exponential")),
    Row(
      "D22 OKS", value("oks", 0.060587, [1, 0], [0, 0, 0.05, 800]),
      value("oks", 0.095163, [1, 0], [0, 0, 0.05, 2000], "k = σ")),
    Row(
      "D23 where distances saturate",
      number("16 bins stop at 14.99", 0) { try saturated(15.5) - saturated(14.99) },
      value("dfl", 2.833213, [Double](repeating: 0, count: 17), [15.5])),
    Row(
      "D24 Wise-IoU v3's gain at β = 1",
      number("the old port's", 1.203333) { MappedOverlap.Mapping.wiseIoU().score(0) },
      number("the author's, to 4 digits", 0.9128) {
        (MappedOverlap.Mapping.wiseIoU(alpha: 1.7, delta: 2.7).score(0) * 1e4).rounded() / 1e4
      }),
    Row(
      "D25 Wise-IoU v1's gradient", value("wise_iou", 1.491825, [20, 0, 30, 10], a),
      slopes("wise_iou", [0.0298, 0, 0.0298, 0], [20, 0, 30, 10], a, reading: fourDigits),
      slopes(
        "wise_iou", [0.0298, 0.006, -0.006, -0.006], [20, 0, 30, 10], a, "denominator attached",
        reading: fourDigits)),
    Row("D26 IoU's gradient at identity", slopes("iou", [0, 0, 0, 0], a, a)),
    Row(
      "D27 the mean before the logarithm or after",
      Claim(what: "IoU 0.9 and 0.1", wanted: [0.6931, 1.2040]) {
        let pairs = [Item([0, 0, 10, 9], a), Item([0, 0, 10, 1], a)]
        let overlaps = try pairs.map { 1 - (try gradient("iou", $0).value) }
        let logarithms = try pairs.map { try gradient("iou", $0, "log, floor = 1e-6").value }
        let means = [
          -Double.log((overlaps[0] + overlaps[1]) / 2), (logarithms[0] + logarithms[1]) / 2,
        ]
        return means.map { ($0 * 1e4).rounded() / 1e4 }
      }),
    Row(
      "D28 GIoU's gradient of boxes that are apart",
      slopes("giou", [-0.01235, 0, 0.00494, 0.01111], [25, -3, 35, 7], [-10, -10, 10, 10]) { g in
        // The way up in centre and size.
        [-(g[0] + g[2]), -(g[1] + g[3]), (g[0] - g[2]) / 2, (g[1] - g[3]) / 2].map {
          ($0 * 1e5).rounded() / 1e5
        }
      }),
    Row("D29 α-DIoU at α = 3", value("alpha_iou", 0.951933, a, b, "diou, alpha = 3.0")),
    Row(
      "D30 MPDIoU's normalizer", value("mpdiou", 0.636394, a, b),
      value(
        "mpdiou", 0.638317, a, b, "default", ["imageWidth": 80, "imageHeight": 80]),
      value(
        "mpdiou", 0.636394, a.map { $0 / 32 }, b.map { $0 / 32 }, "default",
        ["imageWidth": 20, "imageHeight": 20])),
  ]

  static let notExpressed: [(id: String, reason: String)] = [
    (
      "D3, the other side",
      "NaN is what rounding makes of 0/0 in mmdet, YOLOv6, Alpha-IoU and PaddleDetection"
    ),
    ("D5, the other side", "MMYOLO's clamp of the whole loss at 2 has no dialect"),
    (
      "D6",
      "darknet reports IoU − (ρ²/c²)^0.6 and differentiates DIoU: no loss with that power of one term"
    ),
    (
      "D8, the third",
      "the Wise-IoU repository's _EIoU, without sizes, has no definition here"
    ),
    ("D12", "boxes with corners out of order are refused"),
    ("D13, torchvision", "NaN is what rounding makes of 0/0 in the sides of a point; here it is 1"),
    ("D14, PaddleDetection", "its CIoU with 1e-10 and 1e-9 in other places has no dialect"),
    ("D16, KerasCV", "its SmoothL1 jumps unless the cutoff is 1, and has no dialect"),
    (
      "D10, the other side",
      "NaN is what PaddleDetection's 0/0 of concentric boxes gives"
    ),
    (
      "D29, the other side",
      "the first release's (cw^2α + ch^2α) in place of the power of the sum, which its author withdrew"
    ),
    ("D26, the other side", "TensorFlow's and darknet's ties are conventions; here it is the mean"),
    ("D28, the other side", "darknet's hand-written gradient is the derivative of nothing"),
    ("D31", "half precision is not computed in"),
    ("D32", "Pixels-IoU shares the abbreviation alone"),
  ]
}
