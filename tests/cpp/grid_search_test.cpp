// The bitboard search against a queue-based one on random maps, for every number of words. ctest runs this twice: with
// AVX2 (where the processor has it) and, under PAYMASTER_NO_AVX2, with the plain search for small maps too.
#include "worlds/grid/search.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/maps.hpp"
#include "support/queue_search.hpp"

namespace paymaster::test {
namespace {

template <int W>
using Words = std::integral_constant<int, W>;

constexpr int kFollowers = 16;
constexpr std::uint8_t kUntouched = 250;  // what a search leaves where nobody asked

/// A map with followers and goals on it: what a search is asked.
struct Scene {
  GridMap map;
  Cells empty;                 // neither wall nor follower nor target
  std::vector<Cells> targets;  // [kGridGoals]
  std::vector<std::uint16_t> cell;
  std::vector<std::uint8_t> heading;
  std::uint32_t asked[kGridGoals];  // bit k: follower k asks for its route to the goal type

  Scene(Random& random, const GridMap& on) : map(on), targets(kGridGoals, Cells(on.free.size())) {
    for (const auto free : map.free) empty.push_back(free != 0);
    // Half of the scenes have few followers: those have a search of their own.
    const int followers = std::min(random.between(1, random.chance(50) ? 4 : kFollowers), map.free_cells());
    for (auto& bits : asked) bits = static_cast<std::uint32_t>(random.chance(50) ? 0xffff : random.below(1 << 16));
    for (auto& bits : asked) bits &= (1u << followers) - 1;
    for (int k = 0; k < followers; ++k) {
      cell.push_back(static_cast<std::uint16_t>(take(random)));
      heading.push_back(static_cast<std::uint8_t>(random.below(4)));
    }
    const int goals = std::min(random.between(1, 2 * kGridGoals), map.free_cells() - followers);
    for (int i = 0; i < goals; ++i)
      targets[static_cast<std::size_t>(random.below(kGridGoals))][static_cast<std::size_t>(take(random))] = true;
  }

  int take(Random& random) {
    for (;;) {
      const int at = random.below(map.cells());
      if (!empty[static_cast<std::size_t>(at)]) continue;
      empty[static_cast<std::size_t>(at)] = false;
      return at;
    }
  }
};

template <int W>
Board<W> board_of(const Cells& cells) {
  Board<W> board{};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i]) board.set(static_cast<int>(i));
  }
  return board;
}

/// Every follower's route to every goal type, from the search under test.
template <int W>
std::vector<Route> bitboard_routes(const Scene& scene) {
  const GridSearch<W> search(scene.map);
  const auto followers = scene.cell.size();
  std::vector<GridQuery<W>> queries;
  for (std::size_t g = 0; g < kGridGoals; ++g)
    queries.push_back({board_of<W>(scene.targets[g]), scene.asked[g], static_cast<int>(g)});
  std::int16_t distance[kFollowers][kGridGoals];
  std::uint8_t action[kFollowers][kGridGoals];
  for (auto& row : distance) std::fill_n(row, kGridGoals, kUntouched);
  for (auto& row : action) std::fill_n(row, kGridGoals, kUntouched);
  search.routes(static_cast<int>(followers), scene.cell.data(), scene.heading.data(), board_of<W>(scene.empty),
                queries.data(), kGridGoals, distance, action);
  std::vector<Route> routes;
  for (std::size_t k = 0; k < followers; ++k) {
    for (std::size_t g = 0; g < kGridGoals; ++g) routes.push_back({distance[k][g], action[k][g]});
  }
  return routes;
}

/// The same from the queue.
std::vector<Route> queue_routes(const Scene& scene) {
  std::vector<Route> routes;
  for (std::size_t k = 0; k < scene.cell.size(); ++k) {
    Cells free = scene.empty;
    free[scene.cell[k]] = true;
    auto found = queue_search(scene.map, free, scene.cell[k], scene.heading[k], scene.targets);
    for (std::size_t g = 0; g < kGridGoals; ++g) {
      if (found[g].distance < 1) found[g].first_action = found[g].distance == 0 ? kDig : kStop;
      const bool asked = scene.asked[g] >> k & 1;
      routes.push_back(asked ? found[g] : Route{kUntouched, kUntouched});
    }
  }
  return routes;
}

/// Follows the whole route of every follower to every goal type: each action is the first one of the route from there
/// on. Returns the number of actions.
template <int W>
int follow_paths(Scene scene) {
  for (auto& bits : scene.asked) bits = 0xffff;
  const GridSearch<W> search(scene.map);
  std::vector<typename GridSearch<W>::Poses> frontiers;
  const auto routes = queue_routes(scene);
  int followed = 0;
  for (std::size_t k = 0; k < scene.cell.size(); ++k) {
    Cells free = scene.empty;
    free[scene.cell[k]] = true;
    for (std::size_t g = 0; g < kGridGoals; ++g) {
      const int distance = routes[k * kGridGoals + g].distance;
      if (distance < 1) continue;
      std::vector<std::uint8_t> actions(static_cast<std::size_t>(distance));
      int cell = scene.cell[k], heading = scene.heading[k];
      search.path(cell, heading, board_of<W>(free), board_of<W>(scene.targets[g]), distance, actions.data(), frontiers);
      for (int left = distance; left > 0; --left, ++followed) {
        const auto action = actions[static_cast<std::size_t>(distance - left)];
        const Route expected = queue_search(scene.map, free, cell, heading, {scene.targets[g]})[0];
        REQUIRE(expected.distance == left);
        REQUIRE(expected.first_action == action);
        if (action == kMove) cell += scene.map.ahead[static_cast<std::size_t>(heading)];
        else heading = (heading + (action == kTurnLeft ? 1 : 3)) % 4;
      }
    }
  }
  return followed;
}

/// Compares route by route. Returns how many were longer than a step, so that a test can tell that it tested something.
int compare(const std::vector<Route>& got, const std::vector<Route>& expected) {
  REQUIRE(got.size() == expected.size());
  int walks = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i / kGridGoals);  // follower
    CAPTURE(i % kGridGoals);  // goal type
    REQUIRE(got[i].distance == expected[i].distance);
    REQUIRE(got[i].first_action == expected[i].first_action);
    walks += got[i].distance > 1 && got[i].distance != kUntouched;
  }
  return walks;
}

}  // namespace

TEST_CASE_TEMPLATE("GridSearch: distances and first actions are those of a queue", Size, Words<2>, Words<4>, Words<8>,
                   Words<16>, Words<64>) {
  constexpr int W = Size::value;
  Random random(W);
  int walks = 0;
  for (int round = 0; round < 400 / W; ++round) {
    CAPTURE(round);
    const Scene scene(random, random_map_of(random, W, 10 * (round % 6)));
    walks += compare(bitboard_routes<W>(scene), queue_routes(scene));
  }
  CHECK(walks > 20);
}

TEST_CASE_TEMPLATE("GridSearch: a whole path is its first actions one after the other", Size, Words<2>, Words<4>,
                   Words<8>, Words<16>, Words<64>) {
  constexpr int W = Size::value;
  Random random(200 + W);
  int followed = 0;
  for (int round = 0; round < std::max(1, 60 / (W * W)); ++round) {
    CAPTURE(round);
    followed += follow_paths<W>(Scene(random, random_map_of(random, W, 10 * (round % 4))));
  }
  CHECK(followed > 100);
}

TEST_CASE_TEMPLATE("GridSearch: the longest rows and columns that fit", Size, Words<2>, Words<4>, Words<8>, Words<16>,
                   Words<64>) {
  constexpr int W = Size::value;
  Random random(100 + W);
  const int side = std::min(64 * W / 3, 255), other = 64 * W / side;
  for (int round = 0; round < 3; ++round) {
    for (const auto& size : {std::pair{other, side}, std::pair{side, other}}) {
      const int rows = size.first, columns = size.second;  // no structured binding: Clang before 16 captures none
      CAPTURE(rows);
      const Scene scene(random, GridMap::parse(random_map(random, rows, columns, 5 * round)));
      compare(bitboard_routes<W>(scene), queue_routes(scene));
    }
  }
}

TEST_CASE("GridSearch: the search of two words is that of four (AVX2 against plain in one process)") {
  Random random(5);
  int walks = 0;
  for (int round = 0; round < 500; ++round) {
    CAPTURE(round);
    const Scene scene(random, random_map_of(random, 2, 10 * (round % 6)));
    walks += compare(bitboard_routes<2>(scene), bitboard_routes<4>(scene));
  }
  CHECK(walks > 1000);
}

TEST_CASE("GridSearch: among shortest routes `move` comes before `turn left` before `turn right`") {
  // One follower in the middle of a 5 x 5 room, targets drawn as '*', facing up. Distances count actions before `dig`.
  struct Case {
    const char* name;
    const char* picture;
    int distance, action;
  };
  const Case cases[] = {
      {"straight ahead, two cells away", "#######|#..*..#|#.....#|#..@..#|#.....#|#.....#|#######", 1, kMove},
      {"left and right equally far", "#######|#.....#|#.....#|#*.@.*#|#.....#|#.....#|#######", 2, kTurnLeft},
      {"right only", "#######|#.....#|#.....#|#..@.*#|#.....#|#.....#|#######", 2, kTurnRight},
      {"behind: left round or right round", "#######|#.....#|#.....#|#..@..#|#..*..#|#.....#|#######", 2, kTurnLeft},
      {"ahead to the right: move first", "#######|#.....#|#....*#|#..@..#|#.....#|#.....#|#######", 3, kMove},
      {"in place", "#######|#.....#|#..*..#|#..@..#|#.....#|#.....#|#######", 0, kNone},
      {"walled in", "#######|#.###.#|#.#@#*#|#.###.#|#.....#|#.....#|#######", kNone, kNone},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::string text = c.picture;
    for (char& sign : text) sign = sign == '|' ? '\n' : sign;
    const auto follower = text.find('@');
    Cells targets, free;
    std::string plain;
    for (const char sign : text) {
      plain += sign == '*' || sign == '@' ? '.' : sign;
      if (sign == '\n') continue;
      targets.push_back(sign == '*');
      free.push_back(sign == '.' || sign == '@');
    }
    const GridMap map = GridMap::parse(plain);
    const auto cell = static_cast<std::uint16_t>(follower - follower / 8);  // without the line ends
    const std::uint8_t heading = 0;
    const auto route = queue_search(map, free, cell, heading, {targets})[0];
    CHECK(route.distance == c.distance);
    CHECK(route.first_action == c.action);
    const GridSearch<2> search(map);
    const GridQuery<2> query{board_of<2>(targets), 1, 0};
    std::int16_t distance[1][kGridGoals];
    std::uint8_t action[1][kGridGoals];
    search.routes(1, &cell, &heading, board_of<2>(free), &query, 1, distance, action);
    CHECK(distance[0][0] == c.distance);
    CHECK(action[0][0] == (c.distance > 0 ? c.action : c.distance == 0 ? kDig : kStop));
  }
}

}  // namespace paymaster::test
