#include "classifier.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace assistant::offline {
namespace {

/// How much features that no example has weigh: they make a strange message less like every intent.
constexpr double kUnknownShare = 1.0;

std::map<std::string, int> counts_of(const std::vector<std::string>& features) {
    std::map<std::string, int> counts;
    for (const std::string& feature : features) ++counts[feature];
    return counts;
}

template <class Weights>
void normalise(Weights& weights) {
    double square = 0;
    for (const auto& [key, weight] : weights) square += weight * weight;
    if (square == 0) return;
    for (auto& [key, weight] : weights) weight /= std::sqrt(square);
}

}  // namespace

Classifier::Classifier(std::vector<Intent> intents, Language language)
    : intents_(std::move(intents)), language_(language) {
    std::vector<std::vector<std::string>> documents;
    std::vector<std::uint32_t> owners;
    std::vector<int> document_frequency;
    for (std::uint32_t owner = 0; owner < intents_.size(); ++owner) {
        for (const std::string& example : intents_[owner].examples) {
            documents.push_back(features_of(example, language));
            owners.push_back(owner);
            for (const auto& [feature, count] : counts_of(documents.back())) {
                const auto [place, is_new] =
                    vocabulary_.try_emplace(feature, static_cast<std::uint32_t>(vocabulary_.size()));
                if (is_new) document_frequency.push_back(0);
                ++document_frequency[place->second];
            }
        }
    }
    const auto total = static_cast<double>(documents.size());
    for (const int frequency : document_frequency)
        idf_.push_back(std::log((1 + total) / (1 + frequency)) + 1);

    std::vector<std::map<std::uint32_t, double>> centroids(intents_.size());
    for (std::size_t i = 0; i < documents.size(); ++i) {
        for (const auto& [feature, weight] : vector_of(documents[i])) centroids[owners[i]][feature] += weight;
    }
    postings_.resize(vocabulary_.size());
    for (std::uint32_t owner = 0; owner < centroids.size(); ++owner) {
        normalise(centroids[owner]);
        for (const auto& [feature, weight] : centroids[owner]) {
            postings_[feature].push_back({owner, static_cast<float>(weight)});
        }
    }
}

Classifier::Vector Classifier::vector_of(const std::vector<std::string>& features) const {
    Vector vector;
    double unknown_square = 0;  // what no example has still makes the message less like all of them
    const double unknown_idf =
        std::log(1 + static_cast<double>(std::max<std::size_t>(1, idf_.size())) / 10) + 1;
    for (const auto& [feature, count] : counts_of(features)) {
        const double tf = 1 + std::log(count);
        const auto found = vocabulary_.find(feature);
        if (found == vocabulary_.end()) {
            unknown_square += tf * tf * unknown_idf * unknown_idf;
        } else {
            vector.emplace_back(found->second, tf * idf_[found->second]);
        }
    }
    double square = unknown_square * kUnknownShare;
    for (const auto& [feature, weight] : vector) square += weight * weight;
    if (square > 0) {
        for (auto& [feature, weight] : vector) weight /= std::sqrt(square);
    }
    return vector;
}

std::vector<Classifier::Match> Classifier::rank(std::string_view message, std::size_t count) const {
    std::vector<double> scores(intents_.size(), 0);
    for (const auto& [feature, weight] : vector_of(features_of(message, language_))) {
        for (const Posting& posting : postings_[feature]) scores[posting.intent] += weight * posting.weight;
    }
    std::vector<Match> matches;
    matches.reserve(intents_.size());
    for (std::size_t i = 0; i < intents_.size(); ++i) matches.push_back({&intents_[i], scores[i]});
    count = std::min(count, matches.size());
    std::ranges::partial_sort(matches, matches.begin() + static_cast<std::ptrdiff_t>(count),
                              std::ranges::greater{}, &Match::score);
    matches.resize(count);
    return matches;
}

}  // namespace assistant::offline
