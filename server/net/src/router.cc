#include "router.h"

#include "text.h"

#include <set>
#include <stdexcept>

namespace net {

void Router::add(const Route& route) {
    routes_.push_back(route);
    const Route& kept = routes_.back();
    add_path(kept.path, kept);
    for (const auto alias : kept.aliases) add_path(alias, kept);
}

void Router::add_path(std::string_view path, const Route& route) {
    const std::string whole(path);
    Node* node = &root_;
    std::vector<std::string> names;
    if (path.starts_with('/')) path.remove_prefix(1);
    while (!path.empty()) {
        const auto segment = take_until(path, '/');
        if (segment.starts_with('{') && segment.ends_with('}')) {
            names.emplace_back(segment.substr(1, segment.size() - 2));
            if (!node->parameter) node->parameter = std::make_unique<Node>();
            node = node->parameter.get();
        } else {
            auto& child = node->children[std::string(segment)];
            if (!child) child = std::make_unique<Node>();
            node = child.get();
        }
    }
    const auto [place, is_new] = node->leaves.try_emplace(route.method, Leaf{&route, std::move(names)});
    // A row may name a path with and without its last slash; they are one path here.
    if (!is_new && place->second.route != &route)
        throw std::logic_error("two routes for " + std::string(to_string(route.method)) + " " + whole);
}

struct Router::Search {
    std::optional<Method> method;
    std::span<const std::string> segments;
    std::vector<std::size_t> parameters;  // which segments are values
    const Leaf* leaf = nullptr;
    std::set<Method> other_methods;

    bool visit(const Node& node, std::size_t depth) {
        if (depth == segments.size()) {
            auto found = method ? node.leaves.find(*method) : node.leaves.end();
            if (found == node.leaves.end() && method == Method::head) found = node.leaves.find(Method::get);
            if (found != node.leaves.end()) {
                leaf = &found->second;
                return true;
            }
            for (const auto& [other, unused] : node.leaves) other_methods.insert(other);
            return false;
        }
        const auto& segment = segments[depth];
        if (const auto child = node.children.find(segment); child != node.children.end()) {
            if (visit(*child->second, depth + 1)) return true;
        }
        if (!node.parameter || segment.empty()) return false;
        parameters.push_back(depth);
        if (visit(*node.parameter, depth + 1)) return true;
        parameters.pop_back();
        return false;
    }
};

Router::Match Router::find(std::optional<Method> method, std::vector<std::string> segments) const {
    Search search{.method = method, .segments = segments, .parameters = {}, .other_methods = {}};
    Match match;
    if (search.visit(root_, 0)) {
        match.route = search.leaf->route;
        match.values.reserve(search.parameters.size());
        for (std::size_t i = 0; i < search.parameters.size(); ++i) {
            match.values.emplace_back(search.leaf->names[i], std::move(segments[search.parameters[i]]));
        }
        return match;
    }
    if (search.other_methods.contains(Method::get)) search.other_methods.insert(Method::head);
    for (const Method other : search.other_methods) {
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += to_string(other);
    }
    return match;
}

}  // namespace net
