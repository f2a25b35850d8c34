// Answers `lossref verify --loss giou -- ./giou`; built by `cc -O2 giou.c -lm -o giou`. Put yours in.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static float giou(const float *p, const float *t, float *g) {
  float w = p[2] - p[0], h = p[3] - p[1];
  float iw = fmaxf(0, fminf(p[2], t[2]) - fmaxf(p[0], t[0])), ih = fmaxf(0, fminf(p[3], t[3]) - fmaxf(p[1], t[1]));
  float cw = fmaxf(p[2], t[2]) - fminf(p[0], t[0]), ch = fmaxf(p[3], t[3]) - fminf(p[1], t[1]);
  float I = iw * ih, C = cw * ch, U = w * h + (t[2] - t[0]) * (t[3] - t[1]) - I;
  for (int k = 0; k < 4; k++) {
    float sign = k < 2 ? -1 : 1, inner = k < 2 ? p[k] > t[k] : p[k] < t[k];
    float dI = inner && I > 0 ? sign * (k % 2 ? iw : ih) : 0, dC = inner ? 0 : sign * (k % 2 ? cw : ch);
    float dU = sign * (k % 2 ? w : h) - dI;
    g[k] = -(dI * U - I * dU) / (U * U) + (U * dC - dU * C) / (C * C);
  }
  return 1 - I / U + (C - U) / C;
}

static float in[2][4096 * 4], value[4096], gradient[4096 * 4];
static char *after(char *s, const char *a, const char *b) { return strstr(strstr(s, a), b) + strlen(b); }
static void take(float *x, const char *s, int n) { for (char d[9] = ""; n--; s += 8) { unsigned b = strtoul(memcpy(d, s, 8), 0, 16); memcpy(x++, &b, 4); } }
static void pack(const float *x, int n) { for (unsigned b; n--; printf("%08x", b)) memcpy(&b, x++, 4); }
int main(void) {
  char *line = NULL; size_t size = 0; int sum = 0;
  for (; getline(&line, &size, stdin) > 0 && !strstr(line, "\"bye\""); fflush(stdout)) {
    if (strstr(line, "\"hello\"")) printf("{\"nonce\":\"%.*s\",\"protocol\":1,\"name\":\"GIoU in C\",\"losses\":[\"giou\"]}\n", (int)strcspn(after(line, "\"nonce\"", ":\""), "\""), after(line, "\"nonce\"", ":\""));
    else if (strstr(line, "\"select\"")) {
      sum = strstr(line, "\"sum\"") != NULL;
      puts(strstr(line, "\"f32\"") && (sum || strstr(line, "\"giou\"")) ? "{\"ok\":true}" : "{\"unsupported\":\"only giou in f32\"}");
    } else {
      int n = atoi(after(line, "\"prediction\"", "\"shape\":[")), width = sum ? 1 : 4;
      take(in[0], after(line, "\"prediction\"", "\"data\":\""), n * width);
      take(in[1], after(line, "\"target\"", "\"data\":\""), n * width);
      for (int i = 0; i < n; i++) value[i] = sum ? in[0][i] + in[1][i] : giou(in[0] + 4 * i, in[1] + 4 * i, gradient + 4 * i);
      printf("{\"seq\":%d,\"value\":\"", atoi(after(line, "\"seq\"", ":"))); pack(value, n);
      if (strstr(line, "\"gradient\":true")) { printf("\",\"gradient\":\""); pack(gradient, n * width); } puts("\"}");
    }
  }
}
