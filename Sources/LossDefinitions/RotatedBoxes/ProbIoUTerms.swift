extension ProbIoU {
  /// The sizes of the terms of each slope, as the chapter derives them: everything that it adds or
  /// subtracts, without sign.
  func slopeSizes<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> [S] {
    let (ε, least) = (S(epsilon), 12 * S(floor))
    let guarding = guardsQuotients ? ε : 0
    let (a1, b1) = (p.w * p.w + least, p.h * p.h + least)
    let (a2, b2) = (t.w * t.w + least, t.h * t.h + least)
    let (sin, cos) = (S.sin(p.θ - t.θ), S.cos(p.θ - t.θ))
    let (s, c) = (sin * sin, cos * cos)
    let determinant =
      a1 * b1 + a2 * b2 + c * (a1 * b2 + a2 * b1) + s * (a1 * a2 + b1 * b2)
    let bottom = determinant + 144 * guarding
    let mean = 4 * S.sqrt(a1 * b1 * a2 * b2) + 144 * ε
    let inner = determinant + guarding * mean

    let (own, its) = (components(p, t, p.θ), components(p, t, t.θ))
    let size =
      b1 * own.u * own.u + a1 * own.v * own.v + b2 * its.u * its.u + a2 * its.v * its.v
    let distance = 3 * size / bottom + 0.5 * S.log(determinant / mean + guarding)
    let bounded = S.clamp(distance, ε, S(most))
    let squared = ε - .expm1(-bounded)
    let isPositive = 0 .< squared
    let slope =
      form == .bhattacharyya
      ? 1 : S.quotient(.exp(-bounded), 2 * S.sqrt(.select(isPositive, squared, 1)))

    let sharpness = 3 / bottom
    let share = 3 * size / (bottom * bottom)
    let lean = s * (a1 + b1) * S.abs(a2 - b2)
    let raise = determinant * 144 * ε / mean
    let sizeA =
      sharpness * own.v * own.v + share * (b1 + c * b2 + s * a2)
      + (S.abs(a1 - a2) * (b1 + b2) + lean + raise) / (4 * a1 * inner)
    let sizeB =
      sharpness * own.u * own.u + share * (a1 + c * a2 + s * b2)
      + (S.abs(b1 - b2) * (a1 + a2) + lean + raise) / (4 * b1 * inner)
    let turning = 2 * S.abs(sin * cos * (a1 - b1) * (a2 - b2))
    let sizeθ =
      turning * (0.5 / inner + share) + 2 * sharpness * S.abs((a1 - b1) * own.u * own.v)
    let parts = [
      (b1 * own.u, p.θ), (a1 * own.v, p.θ + 0.5 * S.pi), (b2 * its.u, t.θ),
      (a2 * its.v, t.θ + 0.5 * S.pi),
    ]
    let sizeX = 2 * sharpness * S.sum(parts.map { S.abs($0.0 * S.cos($0.1)) })
    let sizeY = 2 * sharpness * S.sum(parts.map { S.abs($0.0 * S.sin($0.1)) })
    return [sizeX, sizeY, 2 * p.w * sizeA, 2 * p.h * sizeB, sizeθ].map { slope * $0 }
  }

  /// The components of the difference of the centres along an angle and across it.
  private func components<S: Scalar>(
    _ p: RotatedBox<S>, _ t: RotatedBox<S>, _ θ: S
  ) -> (u: S, v: S) {
    let (dx, dy) = (p.x - t.x, p.y - t.y)
    return (S.cos(θ) * dx + S.sin(θ) * dy, S.cos(θ) * dy - S.sin(θ) * dx)
  }
}
