/// A box as a detector regresses it: relative to an anchor.
///
///     dx = (x' − x) / w    dy = (y' − y) / h    dw = ln(w' / w)    dh = ln(h' / h)
///
/// x, y are the centre, w, h the sides of the anchor; x', y', w', h' those of the box. Each delta is
/// then multiplied by its weight. Sides are x2 − x1: no framework here adds 1 to them.
///
/// Source: Girshick et al. 2014, R-CNN, arXiv 1311.2524, appendix C.
public struct BoxDeltas: Sendable, Equatable {
  /// How a row of four lists the deltas: dx, dy, dw, dh, or dy, dx, dh, dw (Matterport).
  public enum Order: Sendable {
    case xy, yx
  }

  public var order = Order.xy
  /// One factor a delta, as a row lists them.
  public var weights = [1.0, 1, 1, 1]
  /// What dw and dh are clipped to from above before `decode` takes their exponential.
  public var sizeLimit = 4.135166556742356

  public init(_ order: Order = .xy, weights: [Double] = [1, 1, 1, 1]) {
    self.order = order
    self.weights = weights
  }

  /// Deltas divided by standard deviations, called variances in SSD.
  public init(_ order: Order = .xy, deviations: [Double]) {
    self.init(order, weights: deviations.map { 1 / $0 })
  }

  /// The row of `box` seen from `anchor`; infinite where a side is 0.
  public func encode<S: Scalar>(_ box: Box<S>, from anchor: Box<S>) -> [S] {
    let (w, h) = (anchor.width, anchor.height)
    let dx = ((box.x1 - anchor.x1) + (box.x2 - anchor.x2)) * 0.5 / w
    let dy = ((box.y1 - anchor.y1) + (box.y2 - anchor.y2)) * 0.5 / h
    let dw = S.log(box.width / w)
    let dh = S.log(box.height / h)
    let row = order == .xy ? [dx, dy, dw, dh] : [dy, dx, dh, dw]
    return zip(row, weights).map { $0 * S($1) }
  }

  /// The box whose row seen from `anchor` this is, sides no larger than e^`sizeLimit` anchors'.
  public func decode<S: Scalar>(_ row: [S], from anchor: Box<S>) -> Box<S> {
    let plain = zip(row, weights).map { $0 / S($1) }
    let (dx, dy) = order == .xy ? (plain[0], plain[1]) : (plain[1], plain[0])
    let (dw, dh) = order == .xy ? (plain[2], plain[3]) : (plain[3], plain[2])
    let (w, h) = (anchor.width, anchor.height)
    let x = (anchor.x1 + anchor.x2) * 0.5 + dx * w
    let y = (anchor.y1 + anchor.y2) * 0.5 + dy * h
    let halfWidth = S.exp(.min(dw, S(sizeLimit))) * w * 0.5
    let halfHeight = S.exp(.min(dh, S(sizeLimit))) * h * 0.5
    return Box(
      x1: x - halfWidth, y1: y - halfHeight, x2: x + halfWidth, y2: y + halfHeight)
  }

  /// `encode` with the lanes' logarithm, written to four places: the same bits on every machine.
  public func write(
    _ box: Box<Double>, from anchor: Box<Double>, to row: UnsafeMutablePointer<Double>
  ) {
    let (w, h) = (anchor.width, anchor.height)
    var ratios = DoubleLanes.one
    ratios[0] = box.width / w
    ratios[1] = box.height / h
    let logarithms = DoubleLanes.log(ratios)
    let (x, y) = order == .xy ? (0, 1) : (1, 0)
    row[x] = ((box.x1 - anchor.x1) + (box.x2 - anchor.x2)) * 0.5 / w * weights[x]
    row[y] = ((box.y1 - anchor.y1) + (box.y2 - anchor.y2)) * 0.5 / h * weights[y]
    row[2 + x] = logarithms[0] * weights[2 + x]
    row[2 + y] = logarithms[1] * weights[2 + y]
  }
}
