// What the optimized versions of the YOLO objectives share.
//
// The many slots without truth are gathered and go through a family's kernel in `Element`. The few
// positives' boxes are worked out in Double, and by differences that do not cancel.

/// Entries picked from a head, to go through a kernel as one batch of elements.
struct Gathered<Number: LaneElement> {
  private var places: [Int] = []
  private var values: [Number] = []
  private var targets: [Number] = []
  private var weights: [Number] = []

  init(capacity: Int = 0) {
    places.reserveCapacity(capacity)
    values.reserveCapacity(capacity)
    targets.reserveCapacity(capacity)
    weights.reserveCapacity(capacity)
  }

  mutating func add<Element>(
    _ place: Int, of head: HeadBuffer<Element>, target: Double, weight: Double = 1
  ) {
    places.append(place)
    values.append(Number(head.values[place]))
    targets.append(Number(target))
    weights.append(Number(weight))
  }

  /// The weighted total of the entries' losses over `divisor`; its slopes go to their places in the
  /// head's gradient.
  func evaluate<L: ElementLoss, Element>(
    _ loss: L, into head: HeadBuffer<Element>, divisor: Double
  ) -> Double {
    var slopes = [Number](repeating: 0, count: places.count)
    let total = loss.total(
      count: places.count, width: 1, values, targets, weights: weights, over: divisor,
      gradient: &slopes)
    for (place, slope) in zip(places, slopes) { head.gradient[place] = Element(slope) }
    return total
  }
}

/// σ(x) − t and σ′(x), where neither a probability near its target nor one near 0 or 1 loses digits.
///
/// With e = e^−|x| the difference is (1 − t − t e) / (1 + e) for x ≥ 0 and ((1 − t) e − t) / (1 + e)
/// below: a numerator in double words. σ′ = e / (1 + e)².
@inline(always)
func probabilityDifference<V: Lanes>(_ x: V, _ t: V) -> (difference: V, slope: V) {
  let isNegative = x .< V.zero
  let (u, uLow) = V.twoSum(V.one, -t)
  let (a, aLow) = (V.select(isNegative, -t, u), V.select(isNegative, V.zero, uLow))
  let (b, bLow) = (V.select(isNegative, u, -t), V.select(isNegative, uLow, V.zero))
  let decay = Decay(x)
  let (far, farLow) = V.twoProduct(b, decay.e)
  let (high, rest) = V.twoSum(a, far)
  let low = rest + (aLow + (farLow + (b * decay.eLow + bLow * decay.e)))
  return ((high + low) / decay.sum, decay.e / (decay.sum * decay.sum))
}

/// A positive slot's box in Double, and the truth's, about the truth's centre: an overlap does not
/// change under translation, and there both keep their digits.
struct DecodedSlot {
  let box, truth: CenteredBox<Double>
  /// The slopes of the two probabilities, σ (1 − σ).
  let slopeX, slopeY: Double

  init<Element>(
    _ head: HeadBuffer<Element>, _ grid: Grid, _ slot: Int, _ target: GridTarget, stride: Double
  ) {
    var (raw, wanted) = (DoubleLanes(repeating: 0), DoubleLanes(repeating: 0))
    for entry in 0..<4 { raw[entry] = Double(head.values[grid.offset(slot, entry)]) }
    (wanted[0], wanted[1]) = (target.x, target.y)
    let (offset, slope) = probabilityDifference(raw, wanted)
    let e = DoubleLanes.exp(raw)
    (slopeX, slopeY) = (slope[0], slope[1])
    box = CenteredBox(
      cx: offset[0] * stride, cy: offset[1] * stride, w: e[2] * target.prior.width,
      h: e[3] * target.prior.height)
    truth = CenteredBox(cx: 0, cy: 0, w: target.box.w, h: target.box.h)
  }
}

extension Double {
  /// x − ln(size / prior), of double-word logarithms: small differences keep their digits.
  static func sizeDifference(_ x: Double, _ size: Double, _ prior: Double) -> Double {
    var lanes = DoubleLanes(repeating: size)
    lanes[1] = prior
    let (high, low) = DoubleLanes.logParts(lanes)
    let (ratio, ratioLow) = DoubleLanes.twoSum(
      DoubleLanes(repeating: high[0]), DoubleLanes(repeating: -high[1]))
    let (difference, rest) = DoubleLanes.twoSum(DoubleLanes(repeating: x), -ratio)
    return difference[0] + (rest[0] - (ratioLow[0] + (low[0] - low[1])))
  }

  /// r = √(eˣ prior / size) and r − 1, the latter without cancellation where r is near 1: e^u − 1 of
  /// u = (x − ln(size / prior)) / 2.
  static func rootExcess(
    _ x: Double, _ size: Double, _ prior: Double
  ) -> (root: Double, excess: Double) {
    let u = 0.5 * sizeDifference(x, size, prior)
    let lanes = DoubleLanes.exp(DoubleLanes(repeating: x))
    let root = (lanes[0] * prior / size).squareRoot()
    let near = u.magnitude < 1
    return (root, near ? DoubleLanes.expm1(DoubleLanes(repeating: u))[0] : root - 1)
  }
}

extension GridObjective {
  /// The four terms of a head whose offsets, objectness and classes pay cross-entropies and whose
  /// sizes pay half the squared differences of logarithms; the gradient is written to all of it.
  func crossEntropyTerms<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ truths: Truths, _ labels: GridLabels, level l: Int,
    rescoring: Bool
  ) -> [Double] {
    head.clearGradient()
    let (grid, level) = (grid(l, head.shape), levels[l])
    let divisor = divisor(grid)
    let count = labels.positives.count
    var offsets = Gathered<Double>(capacity: 2 * count)
    var rescored = Gathered<Double>()
    var objectness = Gathered<Element>(capacity: grid.count)
    var classes = Gathered<Element>(capacity: count * grid.classes)
    var sizes = 0.0
    for positive in labels.positives {
      let target = target(positive, truths, grid, level)
      let slot = positive.slot
      offsets.add(grid.offset(slot, 0), of: head, target: target.x, weight: target.scale)
      offsets.add(grid.offset(slot, 1), of: head, target: target.y, weight: target.scale)
      let sides = [
        (target.box.w, target.prior.width), (target.box.h, target.prior.height),
      ]
      for (k, (side, prior)) in sides.enumerated() {
        let place = grid.offset(slot, 2 + k)
        let difference = Double.sizeDifference(Double(head.values[place]), side, prior)
        sizes += target.scale * 0.5 * difference * difference
        head.gradient[place] = Element(target.scale * difference / divisor)
      }
      if rescoring {
        let decoded = DecodedSlot(head, grid, slot, target, stride: level.stride)
        rescored.add(grid.offset(slot, 4), of: head, target: decoded.box.iou(decoded.truth))
      } else {
        objectness.add(grid.offset(slot, 4), of: head, target: 1)
      }
      for c in 0..<grid.classes {
        classes.add(
          grid.offset(slot, 5 + c), of: head, target: positive.classes.contains(c) ? 1 : 0)
      }
    }
    for slot in labels.background { objectness.add(grid.offset(slot, 4), of: head, target: 0) }
    let entropy = BinaryCrossEntropy()
    return [
      offsets.evaluate(entropy, into: head, divisor: divisor), sizes / divisor,
      objectness.evaluate(entropy, into: head, divisor: divisor)
        + rescored.evaluate(entropy, into: head, divisor: divisor),
      classes.evaluate(entropy, into: head, divisor: divisor),
    ]
  }
}
