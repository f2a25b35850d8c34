/// The Bhattacharyya distance B of two boxes as normal distributions, and its slopes in the first one.
///
/// Everything is scaled by 12, so that without a floor a variance is a side's square: a = w² + 12 floor
/// and b = h² + 12 floor, determinants times 144. With δ = θ₁ − θ₂, uᵢ and vᵢ the components of d along
/// box i's sides,
///
///     N = Σᵢ bᵢ uᵢ² + aᵢ vᵢ²                                       = 12 dᵀ adj(Σ) d
///     E = ½ (p² + q²) + sin²δ (a₁ − b₁)(a₂ − b₂)                   = 144 (|Σ| − 4 √(|Σ₁| |Σ₂|)),
///     p = (√a₁ − √a₂)(√b₁ + √b₂),  q = (√a₁ + √a₂)(√b₁ − √b₂)
///
/// are sums of terms that are not negative, if the second box's sides are named so that
/// (a₁ − b₁)(a₂ − b₂) ≥ 0: exchanging them turns sin δ into cos δ. Then, with e = 144 ε and
/// G = 4 √(a₁ b₁ a₂ b₂),
///
///     B = 3 N / (G + E + e) + ½ ln(1 + (E + ε (G + e − 144)) / (G + e)).
///
/// Without guarded quotients e is added to G alone, and ε not inside the logarithm: −e replaces
/// ε (G + e − 144). B is formed in two words: its parts may cancel where ε moves the logarithm below 0, and u, v of
/// long thin boxes are differences.
public struct GaussianPair<V: Lanes> {
  public let distance: TwoWords<V>
  public let slopes: RotatedBox<V>

  @inline(always)
  public init(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>, epsilon: Double, guardsQuotients: Bool, floor: Double
  ) {
    typealias Two = TwoWords<V>
    let guarding = guardsQuotients ? epsilon : 0
    // δ, and the names of the second box's sides.
    let turn = V.sineAndCosine(Two.sum(p.θ, -t.θ))
    let isCrossed = ((p.w .< p.h) & (t.h .< t.w)) | ((p.h .< p.w) & (t.w .< t.h))
    let sine = Two.select(isCrossed, turn.cosine, turn.sine)
    let cosine = Two.select(isCrossed, -turn.sine, turn.cosine)
    let (tw, th) = (V.select(isCrossed, t.h, t.w), V.select(isCrossed, t.w, t.h))
    let first = Sides(p.w, p.h, floor)
    let second = Sides(tw, th, floor)

    // E and G, and from them |Σ|.
    let dα = (Two.sum(p.w, -tw) * Two.sum(p.w, tw)) / (first.α + second.α)
    let dβ = (Two.sum(p.h, -th) * Two.sum(p.h, th)) / (first.β + second.β)
    let halves = Two.square(dα * (first.β + second.β)) + Two.square((first.α + second.α) * dβ)
    let sineSquared = Two.square(sine)
    let excess = halves.times(0.5) + sineSquared * (first.difference * second.difference)
    let geometric = ((first.α * first.β) * (second.α * second.β)).times(4)
    let determinant = geometric + excess
    let e = Two(V(144)) * Two(V(epsilon))
    let bottom = guardsQuotients ? determinant + e : determinant
    let mean = geometric + e

    // N, from d along the sides of either box.
    let d = (x: Two.sum(p.x, -t.x), y: Two.sum(p.y, -t.y))
    let along = Along(d, p.θ)
    let alongTarget = Along(d, t.θ)
    let crossed = Sides(t.w, t.h, floor)
    let form =
      (first.b * Two.square(along.u) + first.a * Two.square(along.v))
      + (crossed.b * Two.square(alongTarget.u) + crossed.a * Two.square(alongTarget.v))
    let centers = (form * Two(V(3))) / bottom

    // ½ ln(1 + X) in two words; far below 0, as ½ ln(|Σ| / (G + e) + ε).
    let lift = guardsQuotients ? Two(V(epsilon)) * (mean - Two(V(144))) : -e
    let x = (excess + lift) / mean
    let isLow = x.high .< V(-0.5)
    let ratio = determinant / mean + Two(V(guarding))
    let near = V.log1pParts(V.select(isLow, .zero, x.high))
    let far = V.logParts(V.select(isLow, ratio.high, .one))
    let logarithm = Two.quickSum(
      V.select(isLow, far.high, near.high),
      V.select(isLow, far.low + ratio.low / ratio.high, near.low + x.low / (V.one + x.high)))
    distance = centers + logarithm.times(0.5)

    // The slopes: ∂B/∂a₁ = 3 v² / bottom − 3 N ∂|Σ| / bottom² + [D + |Σ| e / (G + e)] / (4 a₁ inner),
    // with D = (a₁ − a₂)(b₁ + b₂) + sin²δ (a₁ + b₁)(a₂ − b₂) and inner = |Σ| + ε (G + e).
    let (a1, b1, a2, b2) = (first.a.high, first.b.high, second.a.high, second.b.high)
    let inner = determinant.high + V(guarding) * mean.high
    let sharpness = V(3) / bottom.high
    let share = centers.high / bottom.high
    let s2 = sineSquared.high
    let c2 = cosine.high * cosine.high
    let lean = s2 * ((a1 + b1) * second.difference.high)
    let raise = determinant.high * (e.high / mean.high)
    let alongW = (dα * (first.α + second.α)).high * (b1 + b2)
    let alongH = (dβ * (first.β + second.β)).high * (a1 + a2)
    let (u, v) = (along.u.high, along.v.high)
    let slopeA =
      (sharpness * (v * v) - share * (b1 + (c2 * b2 + s2 * a2)))
      + ((alongW + lean) + raise) / (V(4) * a1 * inner)
    let slopeB =
      (sharpness * (u * u) - share * (a1 + (c2 * a2 + s2 * b2)))
      + ((alongH - lean) + raise) / (V(4) * b1 * inner)

    // ∂|Σ|/∂θ₁ = 2 sin δ cos δ (a₁ − b₁)(a₂ − b₂) and ∂N/∂θ₁ = −2 (a₁ − b₁) u v.
    let difference = first.difference.high
    let turning =
      ((sine.high * cosine.high) * difference) * (second.difference.high + second.difference.high)
    let slopeθ =
      (V(0.5) * turning / inner - share * turning)
      - sharpness * ((difference + difference) * (u * v))

    let (pu, pv) = (b1 * u, a1 * v)
    let (tu, tv) = (crossed.b.high * alongTarget.u.high, crossed.a.high * alongTarget.v.high)
    let (own, its) = (along, alongTarget)
    let slopeX = (pu * own.cosine - pv * own.sine) + (tu * its.cosine - tv * its.sine)
    let slopeY = (pu * own.sine + pv * own.cosine) + (tu * its.sine + tv * its.cosine)
    let twice = sharpness + sharpness
    slopes = RotatedBox(
      x: twice * slopeX, y: twice * slopeY, w: (p.w + p.w) * slopeA, h: (p.h + p.h) * slopeB,
      θ: slopeθ)
  }

  /// A box's variances times 12 and their roots.
  public struct Sides {
    public let a, b, α, β, difference: TwoWords<V>

    @inline(always) public init(_ w: V, _ h: V, _ floor: Double) {
      let (wide, tall) = (TwoWords(w), TwoWords(h))
      difference = TwoWords.sum(w, -h) * TwoWords.sum(w, h)
      guard floor != 0 else {
        (α, β) = (wide, tall)
        (a, b) = (TwoWords.square(wide), TwoWords.square(tall))
        return
      }
      let least = TwoWords(V(12)) * TwoWords(V(floor))
      (a, b) = (TwoWords.square(wide) + least, TwoWords.square(tall) + least)
      (α, β) = (TwoWords.sqrt(a), TwoWords.sqrt(b))
    }
  }

  /// d's components along a box's sides.
  public struct Along {
    public let u, v: TwoWords<V>
    public let sine, cosine: V

    @inline(always) public init(_ d: (x: TwoWords<V>, y: TwoWords<V>), _ θ: V) {
      let (s, c) = V.sineAndCosine(TwoWords(θ))
      (sine, cosine) = (s.high, c.high)
      u = c * d.x + s * d.y
      v = c * d.y - s * d.x
    }
  }
}
