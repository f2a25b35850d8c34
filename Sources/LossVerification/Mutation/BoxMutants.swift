import LossDefinitions

/// IoU, GIoU, DIoU and CIoU as a program writes them down, with a place for each known fault.
struct BoxFormula: MutatedFormula {
  enum Base: String, CaseIterable { case iou, giou, diou, ciou }
  enum Clamp { case both, none, first, second, product }
  enum Bounds { case right, low, high, enclosing }
  enum Held { case nothing, union, intersection, enclosing }

  let base: Base
  /// Added where the name says.
  var union = 0.0
  var enclosing = 0.0
  var sides = 0.0
  var heights = 0.0
  var shape = 0.0
  var weight = 0.0
  /// Added to every side, also of what is shared and of what encloses.
  var pixel = 0.0
  var clamp = Clamp.both
  /// Which of the bounds take the minimum for the maximum.
  var bounds = Bounds.right
  /// What is held constant, wrongly.
  var held = Held.nothing
  /// Whether the union counts what is shared twice.
  var countsTwice = false
  /// Whether GIoU's second term divides by the union.
  var dividesByUnion = false
  var isDistanceRooted = false
  var isDistanceOfSums = false
  var isWeightAttached = false
  var isWeightMissing = false
  var isAspectScaledTwice = false

  init(_ base: Base) { self.base = base }

  func value<S: Scalar>(_ p: [S], _ t: [S]) -> S {
    func pair(_ a: S, _ b: S, least: Bool) -> S { least ? .min(a, b) : .max(a, b) }
    func side(_ high: S, _ low: S) -> S { high - low + S(pixel) }
    let (w, h) = (side(p[2], p[0]) + S(sides), side(p[3], p[1]) + S(sides) + S(heights))
    let (W, H) = (side(t[2], t[0]) + S(sides), side(t[3], t[1]) + S(sides) + S(heights))
    let shared = (0...1).map { axis in
      side(
        pair(p[axis + 2], t[axis + 2], least: bounds != .high),
        pair(p[axis], t[axis], least: bounds == .low))
    }
    let around = (0...1).map { axis in
      side(
        pair(p[axis + 2], t[axis + 2], least: bounds == .enclosing),
        pair(p[axis], t[axis], least: bounds != .enclosing))
    }
    func positive(_ x: S, _ isClamped: Bool) -> S { isClamped ? .select(x .< 0, 0, x) : x }
    var overlap =
      positive(shared[0], clamp == .both || clamp == .first)
      * positive(shared[1], clamp == .both || clamp == .second)
    overlap = positive(overlap, clamp == .product)
    if held == .intersection { overlap = overlap.detached }
    var union = w * h + W * H - (countsTwice ? 0 : overlap)
    if held == .union { union = union.detached }
    let iou = S.quotient(overlap, union + S(self.union))
    return 1 - iou + penalty(p, t, around: (around[0], around[1]), union: union)
      + aspect(w, h, W, H, iou)
  }

  private func penalty<S: Scalar>(_ p: [S], _ t: [S], around: (S, S), union: S) -> S {
    switch base {
    case .iou: return 0
    case .giou:
      let c = held == .enclosing ? (around.0 * around.1).detached : around.0 * around.1
      return .quotient(c - union, (dividesByUnion ? union : c) + S(enclosing))
    case .diou, .ciou:
      let square = around.0 * around.0 + around.1 * around.1
      let c = (held == .enclosing ? square.detached : square) + S(enclosing)
      let half: S = isDistanceOfSums ? 1 : 0.5
      let dx = (p[0] + p[2] - t[0] - t[2]) * half
      let dy = (p[1] + p[3] - t[1] - t[3]) * half
      let ratio = S.quotient(dx * dx + dy * dy, c)
      return isDistanceRooted ? .select(0 .< ratio, .sqrt(ratio), 0) : ratio
    }
  }

  private func aspect<S: Scalar>(_ w: S, _ h: S, _ W: S, _ H: S, _ iou: S) -> S {
    guard base == .ciou else { return 0 }
    let (h, H) = (h + S(shape), H + S(shape))
    let turn = S.atan(.quotient(W * h - w * H, H * h + W * w))
    let scale = 4 / (S.pi * S.pi)
    let v = (isAspectScaledTwice ? scale * scale : scale) * turn * turn
    if isWeightMissing { return v }
    let share = S.clamp(.quotient(v, 1 - iou + v + S(weight)), 0, 1)
    return (isWeightAttached ? share : share.detached) * v
  }
}

// MARK: - The mutants

extension BoxFormula {
  static func mutants(_ base: Base) -> [Mutant] {
    func mutant(_ name: String, _ sentence: String, _ change: (inout BoxFormula) -> Void) -> Mutant
    {
      var formula = BoxFormula(base)
      change(&formula)
      return Mutant(name, sentence, formula)
    }
    var all = [
      mutant("width + 1", "Every side is a pixel longer, as of boxes of whole pixels.") {
        $0.pixel = 1
      },
      mutant("swapped max", "The low edges of what is shared take the smaller.") {
        $0.bounds = .low
      },
      mutant("swapped min", "The high edges of what is shared take the larger.") {
        $0.bounds = .high
      },
      mutant("no clamp", "A side of what is shared may be negative.") { $0.clamp = .none },
      mutant("clamp of x alone", "The height of what is shared may be negative.") {
        $0.clamp = .first
      },
      mutant("clamp of y alone", "The width of what is shared may be negative.") {
        $0.clamp = .second
      },
      mutant("clamp of the product", "The area is clamped, not its sides.") {
        $0.clamp = .product
      },
      mutant("union counts twice", "The union is the sum of the areas.") { $0.countsTwice = true },
      mutant("union held", "The union is held constant.") { $0.held = .union },
      mutant("intersection held", "The intersection is held constant.") {
        $0.held = .intersection
      },
    ]
    if base != .iou {
      all += [
        mutant("swapped enclosing", "The enclosing box takes the inner edges.") {
          $0.bounds = .enclosing
        },
        mutant("enclosing held", "The enclosing box is held constant.") { $0.held = .enclosing },
      ]
    }
    if base == .giou {
      all.append(
        mutant("wrong denominator", "C - U is divided by U.") { $0.dividesByUnion = true })
    }
    if base == .diou || base == .ciou {
      all += [
        mutant("distance rooted", "The distance is divided by the diagonal, not their squares.") {
          $0.isDistanceRooted = true
        },
        mutant("distance of sums", "The centres are sums of the edges, not their halves.") {
          $0.isDistanceOfSums = true
        },
      ]
    }
    if base == .ciou {
      all += [
        mutant("attached alpha", "The weight of the aspect term is differentiated.") {
          $0.isWeightAttached = true
        },
        mutant("no alpha", "The aspect term has no weight.") { $0.isWeightMissing = true },
        mutant("aspect scaled twice", "The aspect term has the square of 4 / pi^2.") {
          $0.isAspectScaledTwice = true
        },
      ]
    }
    return all + epsilons(base)
  }

  /// Each place of an epsilon at each size.
  private static func epsilons(_ base: Base) -> [Mutant] {
    typealias Places = [any WritableKeyPath<BoxFormula, Double> & Sendable]
    var places: [(name: String, words: String, paths: Places)] = [
      ("union", "added to the union", [\.union]),
      ("sides", "added to every side of both boxes", [\.sides]),
      ("heights", "added to both heights", [\.heights]),
    ]
    if base != .iou {
      places += [
        ("enclosing", "added to what the penalty divides by", [\.enclosing]),
        ("union and enclosing", "added to both denominators", [\.union, \.enclosing]),
      ]
    }
    if base == .ciou {
      places += [
        ("shape", "added to both heights in the aspect ratios", [\.shape]),
        ("alpha", "added to the denominator of the weight", [\.weight]),
      ]
    }
    return places.flatMap { place in
      [1e-16, 1e-9, 1e-7, 1e-6].map { size in
        var formula = BoxFormula(base)
        for path in place.paths { formula[keyPath: path] = size }
        return Mutant(
          "epsilon \(size) on \(place.name)", "\(size) is \(place.words).", formula)
      }
    }
  }
}
