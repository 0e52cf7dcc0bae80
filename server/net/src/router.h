#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <net/route.h>

namespace net {

/// The route tables of all modules as a tree by path segment; a static segment wins over a {parameter}.
class Router {
  public:
    /// Throws std::logic_error when the method and path are taken: two modules claim one endpoint.
    void add(const Route& route);

    struct Match {
        const Route* route = nullptr;  ///< null: no route, or none with this method
        std::vector<std::pair<std::string, std::string>> values;
        std::string allow;  ///< where the path is known but not with this method: the methods that it has
    };
    /// `method` is nothing for one that no route can have. HEAD is answered by GET's route.
    Match find(std::optional<Method> method, std::vector<std::string> segments) const;

  private:
    struct Leaf {
        const Route* route = nullptr;
        std::vector<std::string> names;
    };
    struct Node {
        std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
        std::unique_ptr<Node> parameter;
        std::map<Method, Leaf> leaves;
    };
    struct Search;

    void add_path(std::string_view path, const Route& route);

    std::deque<Route> routes_;  // never move: handlers are coroutines that look into their closures
    Node root_;
};

}  // namespace net
