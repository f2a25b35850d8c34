// Answers `lossref verify --loss giou -- ./giou`; built by `c++ -std=c++20 -O2 giou.cpp -o giou`. Put yours in.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <iostream>
#include <string>
using Box = std::array<float, 4>;

float giou(const Box& p, const Box& t, Box& gradient) {
  float w = p[2] - p[0], h = p[3] - p[1];
  float iw = std::max(0.f, std::min(p[2], t[2]) - std::max(p[0], t[0])), ih = std::max(0.f, std::min(p[3], t[3]) - std::max(p[1], t[1]));
  float cw = std::max(p[2], t[2]) - std::min(p[0], t[0]), ch = std::max(p[3], t[3]) - std::min(p[1], t[1]);
  float I = iw * ih, C = cw * ch, U = w * h + (t[2] - t[0]) * (t[3] - t[1]) - I;
  for (int k = 0; k < 4; k++) {
    float sign = k < 2 ? -1 : 1, dI = 0, dC = 0;
    if (k < 2 ? p[k] > t[k] : p[k] < t[k]) dI = I > 0 ? sign * (k % 2 ? iw : ih) : 0; else dC = sign * (k % 2 ? cw : ch);
    float dU = sign * (k % 2 ? w : h) - dI;
    gradient[k] = -(dI * U - I * dU) / (U * U) + (U * dC - dU * C) / (C * C);
  }
  return 1 - I / U + (C - U) / C;
}

std::string member(const std::string& m, const std::string& object, const std::string& key) {
  size_t at = m.find(key, m.find(object)) + key.size();
  return m.substr(at, m.find_first_of("\",}", at) - at);
}
float number(const std::string& hex, size_t i) { return std::bit_cast<float>(unsigned(std::stoul(hex.substr(8 * i, 8), nullptr, 16))); }
void pack(std::string& out, float x) { char digits[9]; std::snprintf(digits, 9, "%08x", std::bit_cast<unsigned>(x)); out += digits; }
int main() {
  bool sum = false;
  for (std::string m; std::getline(std::cin, m) && m.find("\"bye\"") == m.npos;) {
    if (m.find("\"hello\"") != m.npos) std::cout << "{\"nonce\":\"" << member(m, "\"nonce\"", ":\"") << "\",\"protocol\":1,\"name\":\"GIoU in C++\",\"losses\":[\"giou\"]}" << std::endl;
    else if (m.find("\"select\"") != m.npos) { sum = m.find("\"sum\"") != m.npos; std::cout << (m.find("\"f32\"") != m.npos && (sum || m.find("\"giou\"") != m.npos) ? "{\"ok\":true}" : "{\"unsupported\":\"only giou in f32\"}") << std::endl; }
    else { std::string p = member(m, "\"prediction\"", "\"data\":\""), t = member(m, "\"target\"", "\"data\":\""), value, slopes;
      for (size_t i = 0; i < p.size() / 8; i += sum ? 1 : 4) { Box a{}, b{}, g{1}; for (size_t k = 0; k < (sum ? 1 : 4); k++) { a[k] = number(p, i + k); b[k] = number(t, i + k); }
        pack(value, sum ? a[0] + b[0] : giou(a, b, g)); for (size_t k = 0; k < (sum ? 1 : 4); k++) pack(slopes, g[k]); }
      std::cout << "{\"seq\":" << member(m, "\"seq\"", ":") << ",\"value\":\"" << value << (m.find("\"gradient\":true") != m.npos ? "\",\"gradient\":\"" + slopes : "") << "\"}" << std::endl; }
  }
}
