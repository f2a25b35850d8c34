/// What two boxes have in common, for the kernels: areas and their differences as sums and products
/// of non-negative differences of edges, so that none of them cancels.
///
/// With l, r, u, d the edges of the overlap, w − iw = (l − x1) + (x2 − r), and the prediction's area
/// beyond the overlap is P − I = (w − iw) h + iw (h − ih); the same for the target. Boxes that
/// touch overlap with I = 0; boxes apart have I = 0 and P − I = P.
public struct Overlap<V: Lanes> {
  /// The sides of the prediction and of the target, and their heights with the epsilon.
  public let w, h, targetW, targetH: V
  public let tall, targetTall: V
  /// r − l and d − u, negative where the boxes are apart, and whether neither is.
  public let spanX, spanY: V
  public let overlaps: V.Mask
  /// The overlap's sides, or 0.
  public let iw, ih: V
  /// w − iw and h − ih, the latter with the height's epsilon.
  public let restW, restH: V
  /// T − I and I, and what the height's epsilon adds to P + T.
  public let targetRest, area, lift: V
  /// U − I without the height's epsilon, and with it; both with the union's epsilon.
  public let bareExcess, excess: V
  /// U with both epsilons, and what its rounding lost.
  public let union, unionLow: V
  /// T with the union's epsilon.
  public let target: V
  /// 1 / U, or 0 where U is 0, and I / U.
  public let inverse, iou: V

  @inline(always)
  public init(_ p: Box<V>, _ t: Box<V>, heightEpsilon: Double, unionEpsilon: Double) {
    let ε = V(heightEpsilon)
    w = p.x2 - p.x1
    h = p.y2 - p.y1
    targetW = t.x2 - t.x1
    targetH = t.y2 - t.y1
    tall = h + ε
    targetTall = targetH + ε

    let (l, r) = (V.max(p.x1, t.x1), V.min(p.x2, t.x2))
    let (u, d) = (V.max(p.y1, t.y1), V.min(p.y2, t.y2))
    spanX = r - l
    spanY = d - u
    overlaps = (.zero .<= spanX) & (.zero .<= spanY)
    iw = V.select(overlaps, spanX, .zero)
    ih = V.select(overlaps, spanY, .zero)
    restW = V.select(overlaps, (l - p.x1) + (p.x2 - r), w)
    let bareRestH = V.select(overlaps, (u - p.y1) + (p.y2 - d), h)
    let targetRestW = V.select(overlaps, (l - t.x1) + (t.x2 - r), targetW)
    let targetRestH = V.select(overlaps, (u - t.y1) + (t.y2 - d), targetH)
    restH = bareRestH + ε

    area = iw * ih
    let rest = restW * h + iw * bareRestH
    let bareTargetRest = targetRestW * targetH + iw * targetRestH
    targetRest = bareTargetRest + targetW * ε
    bareExcess = (rest + bareTargetRest) + V(unionEpsilon)
    // The epsilon adds w ε to w h.
    lift = (w + targetW) * ε
    excess = bareExcess + lift

    // U to an ulp: its error enters the gradient up to three times.
    let (own, ownLow) = Self.area(p, ε)
    let (other, otherLow) = Self.area(t, ε)
    let (common, commonLow) = V.twoProduct(iw, ih)
    let (both, bothLow) = V.twoSum(own, other)
    let (whole, wholeLow) = V.twoSum(both, -common)
    let sideLow = V.select(overlaps, Self.productLow(l, r, iw, u, d, ih), .zero)
    (union, unionLow) = V.quickTwoSum(
      whole,
      ((wholeLow + bothLow) + ((ownLow + otherLow) - (commonLow + sideLow))) + V(unionEpsilon))
    target = other + (otherLow + V(unionEpsilon))
    inverse = V.select(union .== .zero, .zero, .one / union)
    iou = (common + (commonLow + sideLow)) * inverse
  }

  /// A box's area and what its rounding lost.
  @inline(always)
  public static func area(_ box: Box<V>, _ ε: V) -> (V, V) {
    let (w, wLow) = V.twoSum(box.x2, -box.x1)
    let (h, hLow) = V.twoSum(box.y2, -box.y1)
    let (tall, tallLow) = V.twoSum(h, ε)
    let (product, low) = V.twoProduct(w, tall)
    return (product, low + (w * (hLow + tallLow) + wLow * tall))
  }

  /// What the rounding of two sides lost of their product.
  @inline(always)
  public static func productLow(_ l: V, _ r: V, _ w: V, _ u: V, _ d: V, _ h: V) -> V {
    w * V.twoSum(d, -u).low + V.twoSum(r, -l).low * h
  }

  /// 1 − IoU = (U − I) / U; the IoU of two empty boxes is 0.
  @inline(always) public var loss: V { V.select(union .== .zero, .one, excess / (excess + area)) }

  /// By how much of itself 1 / U is too small.
  @inline(always) public var inverseRest: V {
    let (product, low) = V.twoProduct(union, inverse)
    return ((.one - product) - low) - unionLow * inverse
  }

  /// The slopes of 1 − IoU in x2 and y2.
  ///
  /// An edge with slope P′ of the area and I′ of the overlap has IoU′ = (I′ (P + T) − I P′) / U².
  /// An outer edge does not bound the overlap: I′ = 0. For the inner one in x, I′ = ih and P′ = h,
  /// and ih (P + T) − I h = ih (T + (w − iw) h).
  @inline(always) public var slopes: EdgeSlopes<V> {
    EdgeSlopes(
      outerX: iou * (tall * inverse),
      innerX: -((ih * inverse) * ((target + restW * tall) * inverse)),
      outerY: iou * (w * inverse),
      innerY: -((iw * inverse) * ((target + restH * w) * inverse)))
  }
}

/// A loss's slopes in x2 and y2, for either place of the edge: the farther out of the two boxes', or
/// the nearer. By reflection those in x1 and y1 are the negatives.
public struct EdgeSlopes<V: Lanes> {
  public var outerX, innerX, outerY, innerY: V

  @inline(always) public init(outerX: V, innerX: V, outerY: V, innerY: V) {
    self.outerX = outerX
    self.innerX = innerX
    self.outerY = outerY
    self.innerY = innerY
  }

  @inline(always) public static var none: Self {
    Self(outerX: .zero, innerX: .zero, outerY: .zero, innerY: .zero)
  }

  @inline(always) public static func + (a: Self, b: Self) -> Self {
    Self(
      outerX: a.outerX + b.outerX, innerX: a.innerX + b.innerX, outerY: a.outerY + b.outerY,
      innerY: a.innerY + b.innerY)
  }

  @inline(always) public func times(_ factor: V) -> Self {
    Self(
      outerX: outerX * factor, innerX: innerX * factor, outerY: outerY * factor,
      innerY: innerY * factor)
  }

  /// The slopes in the prediction's edges; the mean of both where the edges coincide.
  @inline(always) public func gradient(_ p: Box<V>, _ t: Box<V>) -> Box<V> {
    let meanX = (outerX + innerX) * V(0.5)
    let meanY = (outerY + innerY) * V(0.5)
    return Box(
      x1: -V.select(t.x1 .< p.x1, innerX, V.select(p.x1 .< t.x1, outerX, meanX)),
      y1: -V.select(t.y1 .< p.y1, innerY, V.select(p.y1 .< t.y1, outerY, meanY)),
      x2: V.select(p.x2 .< t.x2, innerX, V.select(t.x2 .< p.x2, outerX, meanX)),
      y2: V.select(p.y2 .< t.y2, innerY, V.select(t.y2 .< p.y2, outerY, meanY)))
  }
}

/// The same areas in two words, for kernels that raise the IoU loss to a power: twice the bits, at
/// about twice the cost.
public struct PreciseOverlap<V: Lanes> {
  /// U − I with the epsilon, and I.
  public let excess, area: TwoWords<V>

  @inline(always)
  public init(_ p: Box<V>, _ t: Box<V>, unionEpsilon: Double) {
    let common = Box(
      x1: V.max(p.x1, t.x1), y1: V.max(p.y1, t.y1), x2: V.min(p.x2, t.x2), y2: V.min(p.y2, t.y2))
    let overlaps = (common.x1 .<= common.x2) & (common.y1 .<= common.y2)
    let none = TwoWords<V>(.zero)
    let iw = TwoWords.select(overlaps, TwoWords.sum(common.x2, -common.x1), none)
    let ih = TwoWords.select(overlaps, TwoWords.sum(common.y2, -common.y1), none)
    area = iw * ih
    excess =
      (Self.beyond(p, common, iw, overlaps) + Self.beyond(t, common, iw, overlaps))
      + TwoWords(V(unionEpsilon))
  }

  /// w h − iw ih = (w − iw) h + iw (h − ih).
  @inline(always)
  public static func beyond(
    _ box: Box<V>, _ common: Box<V>, _ iw: TwoWords<V>, _ overlaps: V.Mask
  ) -> TwoWords<V> {
    let w = TwoWords.sum(box.x2, -box.x1)
    let h = TwoWords.sum(box.y2, -box.y1)
    let restW = TwoWords.sum(common.x1, -box.x1) + TwoWords.sum(box.x2, -common.x2)
    let restH = TwoWords.sum(common.y1, -box.y1) + TwoWords.sum(box.y2, -common.y2)
    return TwoWords.select(overlaps, restW, w) * h + iw * TwoWords.select(overlaps, restH, h)
  }

  /// 1 − IoU = (U − I) / U; the IoU of two empty boxes is 0.
  @inline(always) public var loss: TwoWords<V> { Self.ratio(excess, excess + area) }

  /// I / U, 0 where U is 0.
  @inline(always) public var iou: TwoWords<V> {
    let whole = excess + area
    return TwoWords.select(
      whole.high .== .zero, TwoWords(.zero), Self.ratio(area, whole))
  }

  /// A part of a whole, and 1 where the whole is 0.
  @inline(always)
  public static func ratio(_ part: TwoWords<V>, _ whole: TwoWords<V>) -> TwoWords<V> {
    let one = TwoWords<V>(.one)
    let empty = whole.high .== .zero
    return TwoWords.select(empty, one, part / TwoWords.select(empty, one, whole))
  }
}
