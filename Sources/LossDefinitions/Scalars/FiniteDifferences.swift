/// A derivative by finite differences, with an estimate of its error.
public struct DifferenceQuotient: Sendable {
  public let slope: DoubleDouble
  /// What the last extrapolation changed, and what rounding of the values may have.
  public let error: DoubleDouble
}

/// The step that a coordinate is moved by to either side: a power of two, 2^−32 of the coordinate or
/// of 2^−8, whichever is larger.
public func differenceStep(at x: DoubleDouble) -> DoubleDouble {
  let scale = Swift.max(x.hi.magnitude, 0x1p-8)
  guard scale.isFinite else { return .nan }
  return DoubleDouble(Double(sign: .plus, exponent: scale.exponent - 32, significand: 1))
}

/// Central differences along the given coordinates (all, by default), extrapolated from a step and
/// its half: the error is of the fourth order in the step.
///
/// `f` is evaluated at the base point and the moved one together, and its detached parts stay at the
/// base point.
public func finiteDifferences(
  at x: [DoubleDouble], coordinates: [Int]? = nil,
  of f: ([Nudge<DoubleDouble>]) -> Nudge<DoubleDouble>
) -> [DifferenceQuotient] {
  let base = x.map { Nudge(base: $0, moved: $0) }
  return (coordinates ?? Array(x.indices)).map { i in
    let step = differenceStep(at: x[i])
    func value(_ offset: DoubleDouble) -> DoubleDouble {
      var point = base
      point[i] = Nudge(base: x[i], moved: x[i] + offset)
      return f(point).moved
    }
    let half = step * 0.5
    let (right, left) = (value(step), value(-step))
    let coarse = (right - left) / (2 * step)
    let fine = (value(half) - value(-half)) / step
    let change = (fine - coarse) / 3
    let rounding = (right.magnitude + left.magnitude) / step * DoubleDouble(0x1p-98)
    return DifferenceQuotient(slope: fine + change, error: change.magnitude + rounding)
  }
}
