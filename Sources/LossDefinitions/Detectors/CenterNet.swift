/// CenterNet's loss: a heat map with a Gaussian bump at each object's centre, and at the centres sizes and
/// offsets.
///
///     L = λ_h / N Σ { (1 − p)² (−ln p) where Y = 1;  (1 − Y)⁴ p² (−ln(1 − p)) elsewhere }
///       + λ_s Σ |s − (w, h)|₁ / (2 n + δ) + λ_o Σ |o − (c − ⌊c⌋)|₁ / (2 n + δ)
///
/// The first sum is over every pixel of every class; p is the sigmoid of the heat map's logit, clipped
/// to [f, 1 − f]; Y is the target, the largest of the objects' Gaussians; N is the number of pixels
/// with Y = 1, at least 1. The others are over the n objects: s and o are the sizes and offsets predicted
/// at the pixel ⌊c⌋ of an object's centre c. All targets are constant.
///
/// Heads: "heatmap" [B, C, H, W], "size" and "offset" [B, 2, H, W]. Truths are in pixels of the output.
///
/// Source: Zhou, Wang and Krähenbühl 2019, arXiv 1904.07850. Chapter: `Spec/Detectors/CenterNet.md`.
public struct CenterNet: Objective {
  public static let name = "centernet"
  public typealias Truths = [ImageTruths]

  public struct Decisions: Sendable, Equatable {
    public var objects: [Object]
    /// Y, of the heat map's shape.
    public var heatmap: Tensor
  }

  /// A truth that has an area inside the image: what is drawn and regressed.
  public struct Object: Sendable, Equatable {
    public var image: Int
    /// Its place among the image's truths.
    public var index: Int
    public var label: Int
    public var x, y: Int
    public var radius: Int
    public var size: [Double]
    public var offset: [Double]
  }

  /// How far off a corner may be for the box still to overlap its truth by `minimumOverlap`.
  public enum RadiusRule: Sendable {
    /// The release's three roots (b + √(b² − 4 a c)) / 2, which leave out 1 / a and take the wrong sign.
    case legacy
    /// The roots of the three quadratics.
    case corrected
  }

  public var radiusRule = RadiusRule.legacy
  public var minimumOverlap = 0.7
  public var heatmapWeight = 1.0
  public var sizeWeight = 0.1
  public var offsetWeight = 1.0
  /// f: the heat map's probabilities are clipped to [f, 1 − f].
  public var probabilityFloor = 1e-4
  /// δ: what the release adds to 2 n.
  public var divisorSlack = 1e-4

  public init() {}

  public let heads = ["heatmap", "size", "offset"]
  public let terms = ["heatmap", "size", "offset"]

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 3 else {
      throw InvalidInput(
        "heads", given: "\(heads.count) heads", expected: "heatmap, size and offset")
    }
    try heads[0].check("heatmap", shape: [truths.count, nil, nil, nil])
    for (name, head) in zip(self.heads, heads) {
      if name != "heatmap" {
        try head.check(name, shape: [truths.count, 2, heads[0].shape[2], heads[0].shape[3]])
      }
      try head.checkFinite(name)
    }
    for (name, value, bound) in [
      ("minimumOverlap", minimumOverlap, 1), ("probabilityFloor", probabilityFloor, 0.5),
    ] where !(value > 0 && value < bound) {
      throw InvalidInput(name, given: "\(value)", expected: "a number between 0 and \(bound)")
    }
    for (image, truths) in truths.enumerated() {
      try truths.check(image: image, classes: heads[0].shape[1])
    }
  }

  // MARK: Targets

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    let shape = heads[0].shape
    var decisions = Decisions(objects: [], heatmap: Tensor(zeros: shape))
    for (image, truths) in truths.enumerated() {
      for index in truths.boxes.indices {
        guard let object = object(truths, index, image: image, height: shape[2], width: shape[3])
        else { continue }
        decisions.objects.append(object)
        Self.draw(object, on: &decisions.heatmap)
      }
    }
    return decisions
  }

  /// A truth, clipped to the output; nil if nothing is left of it.
  private func object(
    _ truths: ImageTruths, _ index: Int, image: Int, height: Int, width: Int
  ) -> Object? {
    func clipped(_ coordinate: Double, _ extent: Int) -> Double {
      min(max(coordinate, 0), Double(extent - 1))
    }
    let truth = truths.boxes[index]
    let box = Box(
      x1: clipped(truth.x1, width), y1: clipped(truth.y1, height), x2: clipped(truth.x2, width),
      y2: clipped(truth.y2, height))
    guard box.width > 0, box.height > 0 else { return nil }
    let (cx, cy) = ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
    let (x, y) = (Int(cx), Int(cy))
    let reach = radius(width: box.width.rounded(.up), height: box.height.rounded(.up))
    return Object(
      image: image, index: index, label: truths.labels[index], x: x, y: y,
      radius: max(0, Int(reach)), size: [box.width, box.height],
      offset: [cx - Double(x), cy - Double(y)])
  }

  /// The smallest of three radii: both corners moved apart, both inward, or both the same way.
  public func radius(width w: Double, height h: Double) -> Double {
    let o = minimumOverlap
    let quadratics = [
      (a: 1, b: h + w, c: w * h * (1 - o) / (1 + o)), (a: 4, b: 2 * (h + w), c: (1 - o) * w * h),
      (a: 4 * o, b: -2 * o * (h + w), c: (o - 1) * w * h),
    ]
    let roots = quadratics.enumerated().map { index, q in
      let root = (q.b * q.b - 4 * q.a * q.c).squareRoot()
      switch radiusRule {
      case .legacy: return (q.b + root) / 2
      case .corrected: return (q.b + (index == 2 ? root : -root)) / (2 * q.a)
      }
    }
    return roots.reduce(.infinity) { Swift.min($0, $1) }
  }

  /// Raises the map to exp(−d² / 2σ²), σ = (2 r + 1) / 6, within r pixels of the centre.
  private static func draw(_ object: Object, on heatmap: inout Tensor) {
    let (height, width) = (heatmap.shape[2], heatmap.shape[3])
    let (r, sigma) = (object.radius, Double(2 * object.radius + 1) / 6)
    for y in max(0, object.y - r)..<min(height, object.y + r + 1) {
      for x in max(0, object.x - r)..<min(width, object.x + r + 1) {
        let (dx, dy) = (Double(x - object.x), Double(y - object.y))
        let value = Double.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))
        let k = heatmap.index(object.image, object.label, y, x)
        heatmap.data[k] = max(heatmap.data[k], value)
      }
    }
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let pixels = zip(heads[0].data, decisions.heatmap.data).map { pixel($0, $1) }
    let divisor = 2 * S(Double(decisions.objects.count)) + S(divisorSlack)
    return [
      S(heatmapWeight) * .sum(pixels) / S(positives(decisions)),
      S(sizeWeight) * distance(heads[1], decisions.objects, \.size) / divisor,
      S(offsetWeight) * distance(heads[2], decisions.objects, \.offset) / divisor,
    ]
  }

  /// The focal loss of one pixel of the heat map.
  private func pixel<S: Scalar>(_ logit: S, _ target: Double) -> S {
    let floor = S(probabilityFloor)
    let p = S.clamp(.sigmoid(logit), floor, 1 - floor)
    let miss = S.clamp(.sigmoid(-logit), floor, 1 - floor)
    if target == 1 { return miss * miss * -.log(p) }
    let away = 1 - S(target)
    return .square(.square(away)) * p * p * -.log(miss)
  }

  /// Σ |prediction − target| over the objects, at their centres' pixels.
  private func distance<S: Scalar>(
    _ head: Shaped<S>, _ objects: [Object], _ target: KeyPath<Object, [Double]>
  ) -> S {
    .sum(
      objects.flatMap { object in
        (0..<2).map { k in
          .abs(head[object.image, k, object.y, object.x] - S(object[keyPath: target][k]))
        }
      })
  }

  /// The number of pixels with Y = 1, at least 1.
  private func positives(_ decisions: Decisions) -> Double {
    Double(max(1, decisions.heatmap.data.count { $0 == 1 }))
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    [
      heatmapTerm(heads[0], decisions),
      distanceTerm(heads[1], decisions.objects, \.size, sizeWeight),
      distanceTerm(heads[2], decisions.objects, \.offset, offsetWeight),
    ]
  }

  /// At γ = 2 the focal loss of a logit at the label 1 is (1 − p)² (−ln p), and at 0 p² (−ln(1 − p)): one
  /// call of its kernel, weighted by (1 − Y)⁴. Clipped pixels are constants and get the weight 0.
  private func heatmapTerm<Element: LaneElement>(
    _ heatmap: HeadBuffer<Element>, _ decisions: Decisions
  ) -> Double {
    typealias V = Double.Vector
    let f = probabilityFloor
    let (rare, common) = (V.log(V(f))[0], V.log1p(V(-f))[0])
    let limit = common - rare
    let (certain, wrong) = (-f * f * common, -(1 - f) * (1 - f) * rare)
    // How much weight the clipped pixels of either kind have: mostly whole numbers.
    var (certainWeight, wrongWeight) = (0.0, 0.0)
    var labels = [Element](repeating: 0, count: heatmap.count)
    var weights = [Element](repeating: 1, count: heatmap.count)
    for (k, target) in decisions.heatmap.data.enumerated() {
      let away = 1 - target
      let weight = target == 1 ? 1 : (away * away) * (away * away)
      if target == 1 { labels[k] = 1 }
      let logit = Double(heatmap.values[k])
      if logit.magnitude > limit {
        weights[k] = 0
        if (logit > 0) == (target == 1) { certainWeight += weight } else { wrongWeight += weight }
      } else if target != 0 {
        weights[k] = Element(weight)
      }
    }
    let divisor = positives(decisions) / heatmapWeight
    let inside = Focal(alpha: -1, gamma: 2).total(
      count: heatmap.count, width: 1, heatmap.values, labels, weights: weights, over: divisor,
      gradient: heatmap.gradient)
    return inside + (certainWeight * certain + wrongWeight * wrong) / divisor
  }

  /// The objects are few: their distances are summed in Double.
  private func distanceTerm<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ objects: [Object], _ target: KeyPath<Object, [Double]>,
    _ weight: Double
  ) -> Double {
    head.clearGradient()
    let (height, width) = (head.shape[2], head.shape[3])
    let factor = weight / (2 * Double(objects.count) + divisorSlack)
    var sum = 0.0
    for object in objects {
      for (k, t) in object[keyPath: target].enumerated() {
        let place = ((object.image * 2 + k) * height + object.y) * width + object.x
        let d = Double(head.values[place]) - t
        sum += d.magnitude
        head.gradient[place] += d == 0 ? 0 : Element(d > 0 ? factor : -factor)
      }
    }
    return factor * sum
  }

  public var roundedToFloat: Self {
    var rounded = self
    let paths: [WritableKeyPath<Self, Double>] = [
      \.heatmapWeight, \.sizeWeight, \.offsetWeight, \.probabilityFloor, \.divisorSlack,
    ]
    for path in paths { rounded[keyPath: path] = Double(Float(self[keyPath: path])) }
    return rounded
  }
}
